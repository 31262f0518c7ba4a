// The ways to reach a guest while it lives: the QMP monitor, gdb, and dumps by key, signal and clock.
#ifndef VMM_RUN_LIVE_SERVICES_H_
#define VMM_RUN_LIVE_SERVICES_H_

#include <functional>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/physical_memory.h"
#include "vmm/catch/kernel_catch.h"
#include "vmm/config/vm_config.h"
#include "vmm/console/console_input.h"
#include "vmm/gdb/break_table.h"
#include "vmm/gdb/server.h"
#include "vmm/live/qmp_server.h"
#include "vmm/machine/machine.h"
#include "vmm/outcome/run_outcome.h"
#include "vmm/run/debug_run.h"
#include "vmm/run/dump_wishes.h"
#include "vmm/run/event_loop.h"
#include "vmm/run/live_dumper.h"
#include "vmm/run/live_run.h"
#include "vmm/run/on_panic.h"
#include "vmm/run/vcpu_threads.h"

namespace vmm {

// Used on the run's thread, whose event loop serves what the configuration asks for.
class LiveServices {
 public:
  struct Wiring {
    const VmConfig& config;
    Machine& machine;
    VcpuThreads& threads;
    EventLoop& loop;
    ConsoleInput& input;
    KernelCatch* traps;  // may be null
    BreakTable* breaks;  // null without --gdb
    DumpWishes* wishes;  // null: neither keys nor signals ask for dumps
    const DumpDirs& dirs;
    RunOutcome& outcome;
    // Makes a snapshot of a guest that stands still, with these registers.
    std::function<VmSnapshot(const LiveRun::States& states)> snapshot;
    std::function<absl::Duration()> age;  // since the guest's first instruction
  };
  // Call this before the sandbox closes and before the guest starts. Everything in `wiring` must outlive it.
  static absl::StatusOr<std::unique_ptr<LiveServices>> Open(Wiring wiring);

  // For --start-paused.
  absl::Status Pause() { return live_.Pause(); }

  // The vCPUs and devices stand still for good. See LiveDumper::Finish().
  void FinishDump(bool give_up, int stop_fd) { dumper_->Finish(give_up, stop_fd); }

  // The guest has ended with these last registers, and the outcome's kind is known. The clients hear of it.
  void Died(LiveRun::States states);

  // See LiveDumper::running_memory().
  const PhysicalMemory* running_memory() const { return dumper_->running_memory(); }

  // What a wish for a dump does while the guest is dead and kept. Null: nothing.
  void SetDeadDump(std::function<void()> dump) { dead_dump_ = std::move(dump); }

 private:
  explicit LiveServices(Wiring wiring);

  absl::Status OpenDumps();
  absl::Status OpenMonitor();
  absl::Status OpenDebugger();

  void DumpNow(std::string_view why);
  void SendNmi();
  void Tell(std::string_view event);
  void TellMonitorOfEnd(bool died, bool stays);
  int DiedVcpu() const;

  const Wiring wiring_;
  LiveRun live_;
  std::unique_ptr<LiveDumper> dumper_;
  std::unique_ptr<QmpServer> monitor_;  // null without --qmp
  std::unique_ptr<DebugRun> debug_;     // null without --gdb
  std::unique_ptr<GdbServer> gdb_;      // the same
  std::function<void()> dead_dump_;
};

}  // namespace vmm

#endif  // VMM_RUN_LIVE_SERVICES_H_
