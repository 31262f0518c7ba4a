#include "vmm/run/live_services.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/log.h"
#include "base/status.h"
#include "vmm/gdb/command_file.h"
#include "vmm/kvm/debug_trial.h"
#include "vmm/kvm/kvm.h"

namespace vmm {
namespace {

bool IsDeath(RunOutcome::Kind kind) { return kind == RunOutcome::Kind::kPanic || kind == RunOutcome::Kind::kHang; }

// QEMU's names for why a machine shuts down.
const char* ShutdownReason(RunOutcome::Kind kind) {
  switch (kind) {
    case RunOutcome::Kind::kPanic:
    case RunOutcome::Kind::kHang: return "guest-panic";
    case RunOutcome::Kind::kReset: return "guest-reset";
    case RunOutcome::Kind::kInterrupted:
    case RunOutcome::Kind::kTimeout: return "host-signal";
    default: return "guest-shutdown";
  }
}

}  // namespace

LiveServices::LiveServices(Wiring wiring)
    : wiring_(std::move(wiring)),
      live_({.config = wiring_.config,
             .machine = wiring_.machine,
             .threads = wiring_.threads,
             .loop = wiring_.loop,
             .traps = wiring_.traps,
             .breaks = wiring_.breaks,
             .snapshot = wiring_.snapshot,
             .tell = [this](std::string_view event) { Tell(event); },
             .before_dump = [this] { return dumper_->Settle(); }}) {}

absl::StatusOr<std::unique_ptr<LiveServices>> LiveServices::Open(Wiring wiring) {
  std::unique_ptr<LiveServices> services(new LiveServices(std::move(wiring)));
  RETURN_IF_ERROR(services->OpenDumps());
  RETURN_IF_ERROR(services->OpenMonitor());
  RETURN_IF_ERROR(services->OpenDebugger());
  return services;
}

absl::Status LiveServices::OpenDumps() {
  ASSIGN_OR_RETURN(dumper_, LiveDumper::Create({.config = wiring_.config,
                                                .machine = wiring_.machine,
                                                .guest = live_,
                                                .dirs = wiring_.dirs,
                                                .record = wiring_.outcome.live,
                                                .snapshot = wiring_.snapshot,
                                                .age = wiring_.age}));
  wiring_.loop.AddService(dumper_->fd(), [this] { dumper_->Serve(); });
  DumpWishes* const wishes = wiring_.wishes;
  if (wishes == nullptr) return absl::OkStatus();
  wiring_.loop.AddService(wishes->signal_fd(), [this, wishes] {
    if (wishes->TakeSignal()) DumpNow("signal");
  });
  wiring_.input.SetKeys([this](char key) { key == 'd' ? DumpNow("key") : SendNmi(); });
  if (wiring_.config.dump_every == absl::InfiniteDuration()) return absl::OkStatus();
  RETURN_IF_ERROR(Annotate(wishes->StartClock(wiring_.config.dump_every), "--dump-every"));
  wiring_.loop.AddService(wishes->clock_fd(), [this, wishes] {
    if (wishes->TakeClock() && !dumper_->busy() && live_.state() != GuestState::kPanicked) DumpNow("timer");
  });
  return absl::OkStatus();
}

absl::Status LiveServices::OpenMonitor() {
  const std::string& path = wiring_.config.qmp_path;
  if (path.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(monitor_, Annotate(QmpServer::Listen(path, live_), "--qmp=" + path));
  wiring_.loop.AddService(monitor_->fd(), [this] { monitor_->Serve(); });
  return absl::OkStatus();
}

// The commands for gdb are written before the sandbox closes, and are no reason to end the run.
absl::Status LiveServices::OpenDebugger() {
  const VmConfig& config = wiring_.config;
  if (config.gdb_path.empty()) return absl::OkStatus();
  const std::string flag = "--gdb=" + config.gdb_path;
  ASSIGN_OR_RETURN(const Kvm kvm, Kvm::Open(config.kvm_path.c_str()));
  ASSIGN_OR_RETURN(const DebugAbilities abilities, Annotate(TryDebug(kvm), flag));
  LogDebug("gdb: " + DescribeAbilities(abilities));
  ASSIGN_OR_RETURN(debug_, DebugRun::Create({.live = live_,
                                             .machine = wiring_.machine,
                                             .threads = wiring_.threads,
                                             .breaks = *wiring_.breaks,
                                             .traps = wiring_.traps,
                                             .abilities = abilities,
                                             .died_vcpu = [this] { return DiedVcpu(); }}));
  const std::string socket = std::filesystem::absolute(config.gdb_path);
  const LoadedKernel& kernel = wiring_.machine.kernel();
  const bool placed = kernel.direct || kernel.is_elf;
  const std::string commands = GdbCommands(socket, placed ? std::optional(kernel.kaslr_shift) : std::nullopt);
  ASSIGN_OR_RETURN(gdb_, Annotate(GdbServer::Listen(config.gdb_path, commands, debug_->stop_fd(), *debug_), flag));
  wiring_.loop.AddService(gdb_->fd(), [this] { gdb_->Serve(); });
  if (const absl::Status written = WriteGdbCommands(socket + ".gdb", commands); !written.ok()) {
    LogWarning(absl::StrFormat("%s: %s; in gdb: target remote %s, monitor kernel", flag, std::string(written.message()),
                               socket));
  } else {
    LogInfo(
        absl::StrFormat("to debug the guest: gdb -x %s.gdb -ex 'kernel VMLINUX%s'", socket, placed ? "" : " OFFSET"));
  }
  return absl::OkStatus();
}

int LiveServices::DiedVcpu() const {
  const std::optional<PanicEvent>& panic = wiring_.outcome.panic;
  return panic.has_value() ? std::max(panic->vcpu, 0) : 0;
}

// Of a guest that has died and is kept, the dump is that of its death.
void LiveServices::DumpNow(std::string_view why) {
  if (live_.state() != GuestState::kPanicked) return dumper_->Dump(why);
  if (dead_dump_) dead_dump_();
}

void LiveServices::SendNmi() {
  const absl::Status sent = live_.InjectNmi();
  LogInfo(sent.ok() ? "sent an NMI to vCPU 0" : "no NMI: " + std::string(sent.message()));
}

void LiveServices::Tell(std::string_view event) {
  if (monitor_ != nullptr) monitor_->Tell(event);
  if (gdb_ != nullptr && event == "STOP") gdb_->GuestStopped();
}

void LiveServices::Died(LiveRun::States states) {
  live_.Died(std::move(states));
  const bool died = IsDeath(wiring_.outcome.kind);
  const bool stays = died && wiring_.config.on_panic == OnPanic::kPause;
  if (gdb_ != nullptr) stays ? gdb_->GuestStopped() : gdb_->GuestEnded();
  if (monitor_ != nullptr) TellMonitorOfEnd(died, stays);
}

void LiveServices::TellMonitorOfEnd(bool died, bool stays) {
  if (died) monitor_->Tell("GUEST_PANICKED", {{"action", stays ? "pause" : "poweroff"}});
  if (died) monitor_->Tell("STOP");
  if (!stays) {
    const char* const reason = ShutdownReason(wiring_.outcome.kind);
    const bool guest = std::string_view(reason) != "host-signal";
    monitor_->Tell("SHUTDOWN", {{"guest", guest}, {"reason", reason}});
  }
  monitor_->Serve();
}

}  // namespace vmm
