// The run loop's waiting: until the guest ends, one way or another, console input is carried
// to it and the clock is watched. What it returns is how the run ended, nothing more.
#ifndef VMM_RUN_EVENT_LOOP_H_
#define VMM_RUN_EVENT_LOOP_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "vmm/console/console_input.h"
#include "vmm/console/shared_input.h"
#include "vmm/run/stop_signals.h"
#include "vmm/vcpu/run_events.h"

namespace vmm {

enum class RunEnd { kPanic, kRequest, kTimeout, kSignal, kUserQuit, kHang, kWatchdog, kHostFailure };

// Owned and called by the thread of the run.
class EventLoop {
 public:
  // `input_fd` is polled for console input; it may be at its end, or not readable at all.
  EventLoop(RunEvents& events, StopSignals& signals, ConsoleInput& input, int input_fd)
      : events_(events), signals_(signals), input_(input), source_(input_fd) {}

  // From now on Wait() calls `hangs` every `interval`, and where that says true the run ends as a hang.
  void SetHangWatch(absl::Duration interval, std::function<bool()> hangs);

  // From now on a run that comes to the time that `deadline` gives ends as kWatchdog. It is asked again at each news
  // (RunEvents::Wake()). Empty: no longer.
  void SetWatchdog(std::function<absl::Time()> deadline) { watchdog_ = std::move(deadline); }

  // From now on Wait() calls `check` before it looks for the run's end: at each news, and at the time that `check` gave
  // last. It may report a panic.
  void SetCheck(std::function<absl::Time()> check) { check_ = std::move(check); }

  // `ended` is called once, when input has ended and all of it was taken.
  void SetInputEnd(std::function<void()> ended) { on_input_end_ = std::move(ended); }

  // From now on `serve` is called when `fd` is readable, in every wait.
  void AddService(int fd, std::function<void()> serve);

  // A paused guest neither hangs nor lets its watchdog bite.
  void SetPaused(bool paused);

  // Ends this wait or the next one, as Ctrl-A x does.
  void Quit() { user_quit_ = true; }

  // Waits until the run ends, at most until `deadline`. After a panic it goes on for up to
  // `grace`, so that the dying kernel's last lines come out, unless the guest then asks to be
  // reset or powered off, or cannot run on. After a panic that hands over to a crash kernel of the
  // guest's own it goes on to `deadline`, and neither the hang watch nor the watchdog counts.
  // A signal ends the grace, and stays pending: it is meant for what follows, too.
  RunEnd Wait(absl::Time deadline, absl::Duration grace);

  // Wait() for a guest that hangs and was asked why: nobody watches it any more, and a signal that ends the wait stays
  // pending, for whoever waits next. kTimeout when it has `said` nothing more for `silence`, or at `deadline`.
  RunEnd WaitForAnswer(absl::Duration silence, const std::function<uint64_t()>& said, absl::Time deadline,
                       absl::Duration grace);

  // Waits for a signal or Ctrl-A x alone: a paused guest. Returns at once if one came since the guest died.
  RunEnd WaitForUser();

  int signal() const { return signal_; }  // after RunEnd::kSignal

 private:
  enum class Stops { kTake, kLeave };  // what becomes of a signal that has come

  // Waits for any news until `deadline`, and takes signals and input in. Returns how the user
  // ended the run, if so.
  std::optional<RunEnd> Poll(absl::Time deadline, Stops stops);
  bool ReadInput();
  // The time to look has come, and the guest hangs.
  bool Hangs();
  absl::Time WatchdogDeadline() const { return watchdog_ ? watchdog_() : absl::InfiniteFuture(); }

  RunEvents& events_;
  StopSignals& signals_;
  ConsoleInput& input_;
  SharedInput source_;
  bool input_ended_ = false;
  int signal_ = 0;
  bool user_quit_ = false;
  bool paused_ = false;
  struct Service {
    int fd;
    std::function<void()> serve;
  };
  std::vector<Service> services_;
  Stops stops_ = Stops::kTake;
  absl::Duration look_interval_;
  absl::Time next_look_ = absl::InfiniteFuture();
  std::function<bool()> hangs_;
  std::function<void()> on_input_end_;
  std::function<absl::Time()> watchdog_;
  std::function<absl::Time()> check_;
};

}  // namespace vmm

#endif  // VMM_RUN_EVENT_LOOP_H_
