#include "vmm/run/run_vm.h"

#include <unistd.h>
#include <x86intrin.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "vmm/catch/kernel_catch.h"
#include "vmm/console/console_input.h"
#include "vmm/console/console_writer.h"
#include "vmm/console/terminal.h"
#include "vmm/machine/machine.h"
#include "vmm/outcome/explain_end.h"
#include "vmm/outcome/hang_registers.h"
#include "vmm/recorder/console_recorder.h"
#include "vmm/recorder/sched_recorder.h"
#include "vmm/run/early_exception_watch.h"
#include "vmm/run/event_loop.h"
#include "vmm/run/hang_watch.h"
#include "vmm/run/host_notes.h"
#include "vmm/run/on_panic.h"
#include "vmm/run/soft_power.h"
#include "vmm/run/stop_signals.h"
#include "vmm/run/vcpu_threads.h"
#include "vmm/witness/console_scanner.h"

namespace vmm {
namespace {

std::string_view BootName(const LoadedKernel& kernel) {
  if (kernel.is_elf) return "ELF";
  return kernel.direct ? "direct" : "classic";
}

RunOutcome::Kind KindOf(const GuestRequest& request) {
  switch (request.kind) {
    case GuestRequest::Kind::kPowerOff: return RunOutcome::Kind::kPowerOff;
    case GuestRequest::Kind::kReset: return RunOutcome::Kind::kReset;
    case GuestRequest::Kind::kExit: return RunOutcome::Kind::kGuestExit;
  }
  return RunOutcome::Kind::kVmmError;
}

void KeepRequest(const GuestRequest& request, RunOutcome& outcome) {
  outcome.kind = KindOf(request);
  outcome.by = request.by;
  outcome.guest_status = request.status;
}

// The guest's own crash kernel took over.
bool HandedOver(const std::optional<PanicEvent>& panic) { return panic.has_value() && panic->crash_loaded; }

// Fills in what `end` means for the outcome, as far as it is known without the registers.
void KeepEnd(RunEnd end, const EventLoop& loop, const RunEvents& events, RunOutcome& outcome) {
  outcome.panic = events.panic();
  outcome.panics_seen = events.panics_seen();
  switch (end) {
    case RunEnd::kPanic: outcome.kind = RunOutcome::Kind::kPanic; break;
    case RunEnd::kRequest: KeepRequest(*events.request(), outcome); break;
    case RunEnd::kTimeout: outcome.kind = RunOutcome::Kind::kTimeout; break;
    case RunEnd::kHang:
    case RunEnd::kWatchdog: outcome.kind = RunOutcome::Kind::kHang; break;
    case RunEnd::kUserQuit:
      outcome.kind = RunOutcome::Kind::kInterrupted;
      outcome.signal = SIGINT;
      break;
    case RunEnd::kSignal:
      outcome.kind = RunOutcome::Kind::kInterrupted;
      outcome.signal = loop.signal();
      break;
  }
  // A guest that handed over to its own crash kernel has panicked, however that kernel ended.
  const bool by_user = end == RunEnd::kSignal || end == RunEnd::kUserQuit;
  if (HandedOver(outcome.panic) && !by_user) outcome.kind = RunOutcome::Kind::kPanic;
}

void CatchWitness(const VmConfig& config, const ConsoleWitness& witness, EarlyExceptionWatch& early,
                  RunEvents& events) {
  if (early.Add(witness)) {
    events.Wake();
    return;
  }
  if (std::ranges::find(config.catch_console, witness.sign) == config.catch_console.end()) return;
  events.OnPanic({.source = PanicSource::kConsole, .detail = witness.line});
}

void KeepAccounts(std::span<const std::unique_ptr<FlightRecorder>> recorders, const KvmStatistics& kvm,
                  RunOutcome& outcome) {
  for (size_t id = 0; id < recorders.size(); ++id) {
    const FlightNoteHeader account = recorders[id]->header();
    outcome.vcpus.push_back({.exits = account.exits,
                             .ran = absl::Nanoseconds(account.run_ns),
                             .waited = absl::Nanoseconds(account.wait_ns),
                             .kvm = id < kvm.vcpus.size() ? kvm.vcpus[id] : std::vector<KvmStat>()});
  }
}

// What --on-panic says, for a guest that has panicked or hangs.
void AfterDeath(const VmConfig& config, const DumpDirs& dirs, const VmSnapshot& snapshot, int stop_fd, EventLoop& loop,
                RunOutcome& outcome) {
  if (HandedOver(outcome.panic)) {
    LogInfo("the guest panicked and its own crash kernel took over: the dump is left to it");
    return;
  }
  switch (config.on_panic) {
    case OnPanic::kExit: return;
    case OnPanic::kDump: DumpSnapshot(snapshot, dirs, config, stop_fd, outcome); return;
    case OnPanic::kPause:
      LogInfo(absl::StrFormat(
          "%s: the guest's memory and registers are kept; SIGTERM to process %d, or Ctrl-A x, ends the run",
          OutcomeName(outcome), getpid()));
      loop.WaitForUser();
      return;
  }
}

// A non-maskable interrupt is the one thing that a hanging kernel may still hear: it prints where it is, or
// panics, as it was told to (unknown_nmi_panic). It gets the time for that, for as long as it prints on `console`, and
// a crash kernel to which it hands over the rest of the run. The NMI may destroy what it asks for, so every vCPU's
// registers are read before, into `registers`. Returns how the run ended: as a hang, unless it went on.
RunEnd AskByNmi(const Hang& hang, RunEnd end, absl::Time deadline, absl::Duration grace, Machine& machine,
                VcpuThreads& threads, const ConsoleScanner& console, const RunEvents& events, EventLoop& loop,
                HangRegisters& registers) {
  constexpr absl::Duration kSilence = absl::Seconds(2), kAnswer = absl::Seconds(20), kPatience = absl::Seconds(1);
  LogInfo(absl::StrFormat("the guest hangs: %s; sending an NMI", hang.detail));
  registers.note.before = threads.Look(kPatience);
  TellWhereVcpusStand(registers.note);
  const int vcpu = std::max(hang.vcpu, 0);
  const absl::Status sent = machine.InjectNmi(vcpu);
  if (!sent.ok()) {
    registers.nmi_error = std::string(sent.message());
    LogInfo(registers.nmi_error);
    return end;
  }
  registers.note.nmi_vcpu = vcpu;
  loop.WaitForAnswer(
      kSilence, [&console] { return console.bytes(); }, absl::Now() + kAnswer, grace);
  return HandedOver(events.panic()) ? loop.Wait(deadline, grace) : end;
}

// Who wants the vmcore on standard output wants nothing else there.
int ConsoleFd(const VmConfig& config) { return config.dump_fd == STDOUT_FILENO ? STDERR_FILENO : STDOUT_FILENO; }

absl::StatusOr<RunOutcome> BootAndRun(const VmConfig& config) {
  const absl::Time start = absl::Now();
  // First, so that every thread inherits the mask and nothing that follows can be cut off half-way.
  ASSIGN_OR_RETURN(const std::unique_ptr<StopSignals> signals, StopSignals::Block());
  ASSIGN_OR_RETURN(const std::unique_ptr<RunEvents> events,
                   RunEvents::Create(/*stop_at_panic=*/config.panic_grace == absl::ZeroDuration()));
  const DumpDirs dirs = OpenDumpDirs(config);
  ASSIGN_OR_RETURN(const std::unique_ptr<ConsoleWriter> console, ConsoleWriter::Create(ConsoleFd(config)));
  EarlyExceptionWatch early(*events);
  ConsoleScanner scanner([start] { return absl::Now() - start; },
                         [&](const ConsoleWitness& witness) { CatchWitness(config, witness, early, *events); });
  ConsoleRecorder console_lines([] { return __rdtsc(); });
  const auto print = [&](std::span<const uint8_t> bytes) {
    console_lines.Record(bytes);
    console->Write(bytes);
    scanner.Scan(bytes);
  };
  ASSIGN_OR_RETURN(const std::unique_ptr<Machine> machine, Machine::Create(config, *events, print));
  LogDebug(absl::StrFormat("loaded %s: %s boot at %#x, KASLR shift %#x, %d-level paging", config.boot.kernel_path,
                           BootName(machine->kernel()), machine->kernel().physical_base, machine->kernel().kaslr_shift,
                           machine->kernel().five_level ? 5 : 4));

  const BackdoorReach reach = ReadBackdoorReach();
  if (config.vmware.port) LogInfo(DescribeBackdoorReach(reach));

  const std::unique_ptr<RawTerminal> terminal = RawTerminal::Enter(STDIN_FILENO);
  Serial& serial = machine->devices().serial();
  // A script on standard input waits until the guest has opened its port: opening empties the
  // FIFO. A person does not wait, because a kernel debugger reads the port without opening it.
  ConsoleInput input(/*escapes=*/terminal != nullptr, [&](std::span<const uint8_t> bytes) -> size_t {
    return terminal != nullptr || serial.IsRequestToSend() ? serial.Receive(bytes) : 0;
  });
  EventLoop loop(*events, *signals, input, STDIN_FILENO);

  std::unique_ptr<KernelCatch> traps;
  if (!config.catching.kinds.empty()) {
    traps = std::make_unique<KernelCatch>(config.catching, machine->kernel(), machine->memory(), *events);
  }
  const std::vector<Vcpu*> vcpus = machine->vcpus();
  VcpuThreads threads(vcpus, machine->devices().buses(), *events, traps.get());
  RunOutcome outcome;
  outcome.kernel = {machine->kernel().physical_base, machine->kernel().kaslr_seed};
  const absl::Time running = absl::Now();
  outcome.load_time = running - start;
  threads.Start();
  SchedRecorder sched(threads.recorders());
  HangWatch watch(threads, config.hang_after, [&scanner] { return scanner.bytes(); });
  if (config.hang_after < absl::InfiniteDuration()) {
    loop.SetHangWatch(watch.interval(), [&watch] { return watch.Look(); });
  }
  // A vCPU that does not answer is in a device, at most waiting for the console's reader.
  loop.SetCheck([&] { return early.Check([&] { return threads.Look(absl::Milliseconds(100)); }); });
  const Ib700* const watchdog = machine->devices().watchdog();
  if (watchdog != nullptr) loop.SetWatchdog([watchdog] { return watchdog->deadline(); });
  const absl::Time deadline = running + config.timeout;
  RunEnd end = loop.Wait(deadline, config.panic_grace);
  if (end == RunEnd::kSignal && loop.signal() == SIGTERM && config.vmware.soft_power.has_value()) {
    end = SoftPowerOff(*machine->devices().backdoor(), loop, *config.vmware.soft_power, deadline, config.panic_grace);
  }
  if (end == RunEnd::kHang) outcome.hang = watch.hang();
  if (end == RunEnd::kWatchdog) outcome.hang = WatchdogHang(watchdog->timeout());
  if (outcome.hang.has_value()) {
    end = AskByNmi(*outcome.hang, end, deadline, config.panic_grace, *machine, threads, scanner, *events, loop,
                   outcome.hang_registers.emplace());
  }
  console->StopWaiting();  // a vCPU may be waiting for it
  sched.Stop();
  std::vector<absl::StatusOr<CpuState>> states = threads.Stop();
  if (traps != nullptr) {
    traps->Remove();
    outcome.catching = traps->report();
  }
  outcome.run_time = absl::Now() - running;

  const KvmStatistics kvm = machine->ReadStatistics();
  KeepAccounts(threads.recorders(), kvm, outcome);
  if (const Backdoor* const backdoor = machine->devices().backdoor(); backdoor != nullptr) {
    outcome.vmport = ReportVmport(*backdoor, reach);
  }
  scanner.Finish();
  outcome.console = scanner.witnesses();
  outcome.console_seen = scanner.seen();

  KeepEnd(end, loop, *events, outcome);
  PromoteConsolePanic(outcome);
  if (IsBadEnd(outcome)) {
    std::vector<CoreNote> notes = HostNotes(threads.recorders(), sched.Notes(), kvm, console_lines.Note());
    if (outcome.vmport.has_value()) notes.push_back({std::string(kVmportNoteName), 0, outcome.vmport->state});
    if (outcome.hang_registers.has_value()) {
      HangRegistersNote& before = outcome.hang_registers->note;
      PutBackDestroyedRegisters(outcome.panic, ConsoleShowedPanic(outcome), before, states);
      notes.push_back({kHangRegistersNoteName, 0, before.Serialise()});
    }
    VmSnapshot snapshot = MakeSnapshot(states, machine->memory(), outcome.panic, std::move(notes));
    snapshot.given_vmcoreinfo = config.vmcoreinfo;
    snapshot.vmcoreinfo_note_at = machine->devices().fw_cfg().vmcoreinfo_note();
    ExplainEnd(config, snapshot, outcome);
    if (outcome.hang_registers.has_value()) {
      NamePlaces(snapshot, config.catching.symbols.get(), *outcome.hang_registers);
    }
    const bool died = outcome.kind == RunOutcome::Kind::kPanic || outcome.kind == RunOutcome::Kind::kHang;
    if (died) AfterDeath(config, dirs, snapshot, signals->fd(), loop, outcome);
  }
  return outcome;
}

}  // namespace

RunOutcome RunVm(const VmConfig& config) {
  absl::StatusOr<RunOutcome> outcome = BootAndRun(config);
  if (outcome.ok()) return *std::move(outcome);
  RunOutcome failed;
  failed.error = outcome.status();
  return failed;
}

}  // namespace vmm
