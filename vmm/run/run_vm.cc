#include "vmm/run/run_vm.h"

#include <unistd.h>
#include <x86intrin.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "base/thread_log.h"
#include "dump/abi/virtio_note_abi.h"
#include "vmm/catch/kernel_catch.h"
#include "vmm/console/console_input.h"
#include "vmm/console/console_writer.h"
#include "vmm/console/terminal.h"
#include "vmm/console/terminal_size.h"
#include "vmm/gdb/break_table.h"
#include "vmm/harness/init_words.h"
#include "vmm/harness/program_channel.h"
#include "vmm/ktap/test_stream.h"
#include "vmm/machine/machine.h"
#include "vmm/outcome/explain_end.h"
#include "vmm/outcome/hang_registers.h"
#include "vmm/outcome/test_results.h"
#include "vmm/recorder/console_recorder.h"
#include "vmm/recorder/sched_recorder.h"
#include "vmm/run/ask_by_nmi.h"
#include "vmm/run/console_output.h"
#include "vmm/run/dump_wishes.h"
#include "vmm/run/early_exception_watch.h"
#include "vmm/run/event_loop.h"
#include "vmm/run/hang_watch.h"
#include "vmm/run/host_notes.h"
#include "vmm/run/keep_end.h"
#include "vmm/run/live_services.h"
#include "vmm/run/on_panic.h"
#include "vmm/run/sandbox_places.h"
#include "vmm/run/soft_power.h"
#include "vmm/run/stop_signals.h"
#include "vmm/run/vcpu_threads.h"
#include "vmm/run/virtio_note.h"
#include "vmm/run/with_program.h"
#include "vmm/sandbox/sandbox.h"
#include "vmm/witness/console_scanner.h"

namespace vmm {
namespace {

// For all virtio devices together, after the vCPUs have stopped.
constexpr absl::Duration kDevicePatience = absl::Seconds(5);

std::string_view BootName(const LoadedKernel& kernel) {
  if (kernel.is_elf) return "ELF";
  if (kernel.is_multiboot) return "multiboot";
  return kernel.direct ? "direct" : "classic";
}

// For a reader of the program's output, after the guest has ended.
constexpr absl::Duration kOutputPatience = absl::Seconds(10);

// One run, step by step. Everything is called on the thread that made it, but for Print(), which the vCPUs' threads
// call. Members are destroyed in the reverse order, threads before the machine whose vCPUs they run.
class Run {
 public:
  Run(const VmConfig& config, const Surroundings& around) : config_(config), around_(around), start_(absl::Now()) {}

  absl::StatusOr<RunOutcome> Go() {
    RETURN_IF_ERROR(OpenOutputs());
    RETURN_IF_ERROR(BuildMachine());
    RETURN_IF_ERROR(StartGuest());
    RunEnd end = WaitForEnd();
    end = AskIfHanging(end);
    StopGuest();
    live_->FinishDump(/*give_up=*/end == RunEnd::kSignal || end == RunEnd::kUserQuit, signals_->fd());
    KeepWhatIsKnown(end);
    if (IsBadEnd(outcome_)) DumpAndExplain();
    if (tests_.has_value()) KeepTests();
    return std::move(outcome_);
  }

 private:
  // Before the machine: a signal that comes later waits, and a dump directory that is renamed later does no harm.
  absl::Status OpenOutputs() {
    // First, so that every thread inherits the mask and nothing that follows can be cut off half-way.
    ASSIGN_OR_RETURN(signals_, around_.own_process ? StopSignals::Block() : StopSignals::FromEvent(around_.cancel_fd));
    if (around_.own_process) {
      ASSIGN_OR_RETURN(wishes_, DumpWishes::Open());
    }
    ASSIGN_OR_RETURN(events_, RunEvents::Create(/*stop_at_panic=*/config_.panic_grace == absl::ZeroDuration()));
    ASSIGN_OR_RETURN(sandbox_, Sandbox::Create(config_.sandbox));
    dirs_ = OpenDumpDirs(config_);
    ASSIGN_OR_RETURN(console_, OpenConsole(config_));
    if (around_.keep_tests || !config_.ktap_path.empty() || !config_.junit_path.empty()) {
      tests_.emplace(/*tell=*/LogsToStderr() && isatty(STDERR_FILENO) != 0 && isatty(STDOUT_FILENO) == 0);
    }
    if (HasTerminal()) {
      ASSIGN_OR_RETURN(terminal_size_, TerminalSize::Watch(STDOUT_FILENO));
    }
    early_.emplace(*events_);
    scanner_.emplace([this] { return absl::Now() - start_; },
                     [this](const ConsoleWitness& witness) { HearWitness(witness); });
    return absl::OkStatus();
  }

  absl::Status BuildMachine() {
    ASSIGN_OR_RETURN(machine_, Machine::Create(
                                   config_, *events_, [this](std::span<const uint8_t> bytes) { Print(bytes); },
                                   [this] { BeginThread(ThreadKind::kDevice); }));
    const LoadedKernel& kernel = machine_->kernel();
    LogDebug(absl::StrFormat("loaded %s: %s boot at %#x, KASLR shift %#x, %d-level paging", config_.boot.kernel_path,
                             BootName(kernel), kernel.physical_base, kernel.kaslr_shift, kernel.five_level ? 5 : 4));
    if (config_.vmware.port) LogInfo(DescribeBackdoorReach(reach_));
    outcome_.kernel = {kernel.physical_base, kernel.kaslr_seed};
    if (!config_.catching.kinds.empty()) {
      traps_ = std::make_unique<KernelCatch>(config_.catching, kernel, machine_->memory(), *events_);
    }
    if (!config_.gdb_path.empty()) breaks_ = std::make_unique<BreakTable>(machine_->memory(), traps_.get());
    return config_.program.has_value() ? OpenChannel() : absl::OkStatus();
  }

  absl::Status OpenChannel() {
    // Init holds the port open, and any byte there tells it to look at the rings. A byte that finds no place there
    // comes after one that still has to be read.
    const auto ring_guest = [this] {
      Serial& serial = machine_->devices().serial();
      constexpr std::array<uint8_t, 1> kRing{};
      if (serial.IsRequestToSend()) serial.Receive(kRing);
    };
    ProgramChannel::Wiring wiring{.stdout_fd = around_.output_fd,
                                  .stderr_fd = around_.error_fd,
                                  .ring_guest = ring_guest,
                                  .on_stdout = [this](std::span<const uint8_t> bytes) { HearProgram(bytes); },
                                  .on_stderr = around_.on_stderr,
                                  .on_room = [this] { events_->Wake(); }};
    ASSIGN_OR_RETURN(channel_, ProgramChannel::Create(machine_->memory(), std::move(wiring)));
    machine_->devices().debug_exit().set_on_doorbell([this] { channel_->OnDoorbell(); });
    return absl::OkStatus();
  }

  absl::Status StartGuest() {
    if (around_.own_process && (channel_ == nullptr || HasTerminal())) {
      terminal_ = RawTerminal::Enter(around_.input_fd);
    }
    // A script on standard input waits until the guest has opened its port, because opening empties the FIFO. A person
    // does not wait, because a kernel debugger reads the port without opening it.
    input_.emplace(/*escapes=*/terminal_ != nullptr, [this](std::span<const uint8_t> bytes) -> size_t {
      if (channel_ != nullptr) return channel_->Offer(bytes);
      Serial& serial = machine_->devices().serial();
      return terminal_ != nullptr || serial.IsRequestToSend() ? serial.Receive(bytes) : 0;
    });
    loop_.emplace(*events_, *signals_, *input_, around_.input_fd);
    if (channel_ != nullptr) loop_->SetInputEnd([this] { channel_->EndInput(); });
    if (terminal_size_ != nullptr) {
      ShowTerminalSize();
      loop_->AddService(terminal_size_->fd(), [this] { ShowTerminalSize(); });
    }
    vcpus_ = machine_->vcpus();
    TrapHandler* const traps = breaks_ != nullptr ? static_cast<TrapHandler*>(breaks_.get()) : traps_.get();
    threads_.emplace(vcpus_, machine_->devices().buses(), *events_, traps);
    RETURN_IF_ERROR(OpenLiveServices());
    RETURN_IF_ERROR(sandbox_->ConfineProcess(WritablePlaces(config_, dirs_), SocketFolders(config_)));
    running_ = absl::Now();
    outcome_.load_time = running_ - start_;
    if (config_.start_paused) threads_->BeginPause();
    threads_->Start([this] { BeginThread(ThreadKind::kVcpu); });
    sched_.emplace(threads_->recorders(), [this] { BeginThread(ThreadKind::kSampler); });
    sandbox_->ConfineThread(ThreadKind::kMain);
    outcome_.sandbox = sandbox_->report();
    for (const std::string& part : outcome_.sandbox.lacking) LogDebug("sandbox: this host has no " + part);
    return config_.start_paused ? Annotate(live_->Pause(), "--start-paused") : absl::OkStatus();
  }

  // True if the program in the guest has a terminal, as we have.
  bool HasTerminal() const { return config_.program.has_value() && config_.program->terminal; }

  void ShowTerminalSize() {
    const TerminalSize::Cells cells = terminal_size_->Read();
    channel_->SetWindow(cells.rows, cells.columns);
  }

  absl::Status OpenLiveServices() {
    ASSIGN_OR_RETURN(live_, LiveServices::Open({.config = config_,
                                                .machine = *machine_,
                                                .threads = *threads_,
                                                .loop = *loop_,
                                                .input = *input_,
                                                .traps = traps_.get(),
                                                .breaks = breaks_.get(),
                                                .wishes = wishes_.get(),
                                                .dirs = dirs_,
                                                .outcome = outcome_,
                                                .snapshot = [this](const auto& states) { return LiveSnapshot(states); },
                                                .age = [this] { return absl::Now() - running_; }}));
    return absl::OkStatus();
  }

  // With those of the host's notes that do not need the vCPUs' threads to have ended.
  VmSnapshot LiveSnapshot(const LiveRun::States& states) {
    return Snapshot(states, outcome_.panic.has_value() ? outcome_.panic : events_->panic(),
                    HostNotes({}, {}, {}, console_lines_.Note()));
  }

  VmSnapshot Snapshot(const LiveRun::States& states, const std::optional<PanicEvent>& panic,
                      std::vector<CoreNote> notes) {
    VmSnapshot snapshot = MakeSnapshot(states, machine_->memory(), panic, std::move(notes));
    snapshot.given_vmcoreinfo = config_.vmcoreinfo;
    snapshot.vmcoreinfo_note_at = machine_->devices().fw_cfg().vmcoreinfo_note();
    return snapshot;
  }

  RunEnd WaitForEnd() {
    watch_.emplace(*threads_, config_.hang_after,
                   [this] { return scanner_->bytes() + (channel_ != nullptr ? channel_->said() : 0); });
    if (config_.hang_after < absl::InfiniteDuration()) {
      loop_->SetHangWatch(watch_->interval(), [this] { return watch_->Look(); });
    }
    // A vCPU that does not answer is in a device, at most waiting for the console's reader.
    loop_->SetCheck([this] { return early_->Check([this] { return threads_->Look(absl::Milliseconds(100)); }); });
    const Ib700* const watchdog = machine_->devices().watchdog();
    if (watchdog != nullptr) loop_->SetWatchdog([watchdog] { return watchdog->deadline(); });

    RunEnd end = loop_->Wait(deadline(), config_.panic_grace);
    if (end == RunEnd::kSignal && loop_->signal() == SIGTERM && config_.vmware.soft_power.has_value()) {
      end = SoftPowerOff(*machine_->devices().backdoor(), *loop_, *config_.vmware.soft_power, deadline(),
                         config_.panic_grace);
    }
    if (end == RunEnd::kHang) outcome_.hang = watch_->hang();
    if (end == RunEnd::kWatchdog) outcome_.hang = WatchdogHang(watchdog->timeout());
    return end;
  }

  // Returns the end: still a hang, unless the NMI led the guest into its own crash kernel, which gets the rest of the
  // run.
  RunEnd AskIfHanging(RunEnd end) {
    if (!outcome_.hang.has_value()) return end;
    outcome_.hang_registers = AskByNmi(*outcome_.hang, *machine_, *threads_, *scanner_, config_.panic_grace, *loop_);
    return HandedOver(events_->panic()) ? loop_->Wait(deadline(), config_.panic_grace) : end;
  }

  void StopGuest() {
    console_->StopWaiting();  // a vCPU may be waiting for it
    sched_->Stop();
    states_ = threads_->Stop();
    StopDevices();
    if (breaks_ != nullptr) breaks_->Clear();
    if (traps_ != nullptr) {
      traps_->Remove();
      outcome_.catching = traps_->report();
    }
    outcome_.run_time = absl::Now() - running_;
    scanner_->Finish();
    if (channel_ != nullptr) channel_->Finish(signals_->fd(), kOutputPatience);
  }

  // Before RAM is read, no device may write to it any more.
  void StopDevices() {
    const std::vector<std::string> busy = machine_->virtio().Pause(kDevicePatience, /*leftovers=*/true);
    for (const std::string& device : busy) {
      LogWarning(absl::StrFormat("%s did not come to rest within %s: a dump may show its request half done", device,
                                 absl::FormatDuration(kDevicePatience)));
    }
  }

  void KeepWhatIsKnown(RunEnd end) {
    kvm_ = machine_->ReadStatistics();
    KeepAccounts(threads_->recorders(), kvm_, outcome_);
    if (const Backdoor* const backdoor = machine_->devices().backdoor(); backdoor != nullptr) {
      outcome_.vmport = ReportVmport(*backdoor, reach_);
    }
    outcome_.console = scanner_->witnesses();
    outcome_.console_seen = scanner_->seen();
    KeepEnd(end, *loop_, *events_, outcome_);
    outcome_.exit_like_qemu = config_.test_device && !config_.program.has_value();
    if (channel_ != nullptr) {
      ProgramEnd program = channel_->end();
      if (program.stage == kStageNone) program.text = init_words_.text();
      KeepProgramEnd(program, config_.program->shell_status, outcome_);
    }
    PromoteConsolePanic(outcome_);
    NameXenVictim(machine_->kernel().is_multiboot, outcome_);
    live_->Died(states_);
  }

  // Dumps first: an explanation reads structures that the guest made, and may take long or fail. With --dump-once the
  // dump's name is the signature, and before a pause a person wants to know why, so then it comes first.
  void DumpAndExplain() {
    const VmSnapshot snapshot = TakeSnapshot();
    const FoundKernel kernel = FindKernelOrNone(snapshot);
    const bool died = outcome_.kind == RunOutcome::Kind::kPanic || outcome_.kind == RunOutcome::Kind::kHang;
    const bool explain_first = !died || config_.dump_once || config_.on_panic == OnPanic::kPause;
    if (explain_first) ExplainEnd(config_, snapshot, kernel, signals_->fd(), outcome_);
    if (died) DoAsOnPanicSays(snapshot, kernel);
    if (!explain_first) ExplainEnd(config_, snapshot, kernel, signals_->fd(), outcome_);
  }

  // The guest's kernel is looked for once; the dump and its explanation share the result.
  static FoundKernel FindKernelOrNone(const VmSnapshot& snapshot) {
    try {
      return FindKernel(snapshot);
    } catch (const std::bad_alloc&) {
      FoundKernel none;
      none.why_not = "out of memory in the search for the guest's kernel";
      return none;
    }
  }

  VmSnapshot TakeSnapshot() {
    std::vector<CoreNote> notes = HostNotes(threads_->recorders(), sched_->Notes(), kvm_, console_lines_.Note());
    if (std::string virtio = VirtioNoteText(machine_->virtio().Describe()); !virtio.empty()) {
      notes.push_back({kVirtioNoteName, 0, std::move(virtio)});
    }
    if (outcome_.vmport.has_value()) notes.push_back({std::string(kVmportNoteName), 0, outcome_.vmport->state});
    if (outcome_.hang_registers.has_value()) {
      HangRegistersNote& before = outcome_.hang_registers->note;
      PutBackDestroyedRegisters(outcome_.panic, ConsoleShowedPanic(outcome_), before, states_);
      notes.push_back({kHangRegistersNoteName, 0, before.Serialise()});
    }
    VmSnapshot snapshot = Snapshot(states_, outcome_.panic, std::move(notes));
    if (live_->running_memory() != nullptr) snapshot.memory = live_->running_memory();
    return snapshot;
  }

  void DoAsOnPanicSays(const VmSnapshot& snapshot, const FoundKernel& kernel) {
    if (HandedOver(outcome_.panic)) {
      LogInfo("the guest panicked and its own crash kernel took over: the dump is left to it");
      return;
    }
    switch (config_.on_panic) {
      case OnPanic::kExit: return;
      case OnPanic::kDump: DumpSnapshot(snapshot, kernel, dirs_, config_, signals_->fd(), outcome_); return;
      case OnPanic::kPause:
        LogInfo(absl::StrFormat(
            "%s: the guest's memory and registers are kept; SIGTERM to process %d, or Ctrl-A x, ends the run",
            OutcomeName(outcome_), getpid()));
        live_->SetDeadDump([&] { DumpSnapshot(snapshot, kernel, dirs_, config_, signals_->fd(), outcome_); });
        loop_->WaitForUser();
        live_->SetDeadDump(nullptr);
        return;
    }
  }

  // The explained end says what the running test died of.
  void KeepTests() {
    outcome_.tests = tests_->Close(DeathOf(outcome_));
    AddStatus(outcome_, *outcome_.tests);
  }

  // On each thread of the run but its own.
  void BeginThread(ThreadKind kind) {
    if (around_.log != nullptr) SendThreadLogTo(around_.log);
    sandbox_->ConfineThread(kind);
  }

  // What the program writes to its standard output.
  void HearProgram(std::span<const uint8_t> bytes) {
    if (tests_.has_value()) tests_->Take(bytes);
    if (around_.on_stdout) around_.on_stdout(bytes);
  }

  // What the guest writes to its serial port.
  void Print(std::span<const uint8_t> bytes) {
    console_lines_.Record(bytes);
    if (around_.on_console) around_.on_console(bytes);
    console_->Write(bytes);
    scanner_->Scan(bytes);
    if (channel_ != nullptr) init_words_.Scan(bytes);
    if (tests_.has_value() && channel_ == nullptr) tests_->Take(bytes);  // a program's results are on its output
  }

  // A sign of trouble on the console ends the run only if it is an early exception, or if the user asked for that.
  void HearWitness(const ConsoleWitness& witness) {
    if (early_->Add(witness)) {
      events_->Wake();
      return;
    }
    if (std::ranges::find(config_.catch_console, witness.sign) == config_.catch_console.end()) return;
    events_->OnPanic({.source = PanicSource::kConsole, .detail = witness.line});
  }

  absl::Time deadline() const { return running_ + config_.timeout; }

  const VmConfig& config_;
  const Surroundings& around_;
  const absl::Time start_;
  absl::Time running_;  // when the guest began
  const BackdoorReach reach_ = ReadBackdoorReach();
  RunOutcome outcome_;

  std::unique_ptr<Sandbox> sandbox_;
  std::unique_ptr<StopSignals> signals_;
  std::unique_ptr<DumpWishes> wishes_;
  std::unique_ptr<RunEvents> events_;
  DumpDirs dirs_;
  std::unique_ptr<ConsoleWriter> console_;
  std::optional<EarlyExceptionWatch> early_;
  std::optional<ConsoleScanner> scanner_;
  std::optional<TestStream> tests_;  // empty: nobody asked for results
  ConsoleRecorder console_lines_{[] { return __rdtsc(); }};
  std::unique_ptr<Machine> machine_;
  std::unique_ptr<ProgramChannel> channel_;  // null without a program
  std::unique_ptr<KernelCatch> traps_;
  std::unique_ptr<BreakTable> breaks_;           // null without --gdb
  InitWords init_words_;                         // with a program
  std::unique_ptr<TerminalSize> terminal_size_;  // null unless the program has a terminal
  std::unique_ptr<RawTerminal> terminal_;
  std::optional<ConsoleInput> input_;
  std::optional<EventLoop> loop_;
  std::vector<Vcpu*> vcpus_;
  std::optional<VcpuThreads> threads_;
  std::optional<SchedRecorder> sched_;
  std::unique_ptr<LiveServices> live_;
  std::optional<HangWatch> watch_;

  // After StopGuest().
  std::vector<absl::StatusOr<CpuState>> states_;
  KvmStatistics kvm_;
};

}  // namespace

RunOutcome RunVm(const VmConfig& config) { return RunVm(config, Surroundings()); }

RunOutcome RunVm(const VmConfig& config, const Surroundings& surroundings) {
  if (surroundings.log != nullptr) SendThreadLogTo(surroundings.log);
  absl::StatusOr<RunOutcome> outcome = absl::UnknownError("not run");
  try {
    const absl::StatusOr<VmConfig> packed = config.program.has_value() ? WithProgram(config) : config;
    outcome = packed.ok() ? Run(*packed, surroundings).Go() : packed.status();
  } catch (const std::bad_alloc&) {
    outcome = absl::ResourceExhaustedError("out of memory");
  }
  if (outcome.ok()) return *std::move(outcome);
  RunOutcome failed;
  failed.error = outcome.status();
  failed.no_program = KindOfNoProgram(outcome.status());
  if (failed.no_program.has_value()) failed.kind = RunOutcome::Kind::kNoProgram;
  failed.shell_status = config.program.has_value() && config.program->shell_status;
  return failed;
}

}  // namespace vmm
