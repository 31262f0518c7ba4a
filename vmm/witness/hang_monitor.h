// Tells a guest that hangs from one that is busy or at rest, by looking at it from outside again and
// again. Pure judgement: the samples are taken elsewhere, and so is what follows from a verdict.
//
// A hang is one of these, over the whole time:
//   interrupts off   a vCPU runs kernel code and takes no interrupts in any sample: a hard lockup
//   livelock         a vCPU runs kernel code, mostly at a handful of places, and the console is silent
//   idle             every vCPU is halted, and the console is silent: a deadlock, or a guest at rest
//   halted           every vCPU that was started is halted with interrupts off: none can ever run again
// A guest that computes in user mode, or moves about in the kernel, is busy. A place is an instruction with the stack
// and the counters that it had: a long copy stays at one instruction, and goes on. A kernel that comes up has
// interrupts off until it has tables for them, for seconds on a slow host: before a vCPU was seen with interrupts on,
// having them off is a hang only together with a loop. A sample in which the host kept a vCPU from running says
// nothing of the guest, and counts for neither side.
//
// One vCPU that is halted with interrupts off is no hang by itself, whichever it is: Linux parks a CPU like that when
// it takes it offline, and waits like that for a paravirtual spinlock. Only an NMI, an SMI, an INIT or a kick by
// another vCPU ends such a halt, so once all vCPUs are in it, nothing of the guest's own does.
#ifndef VMM_WITNESS_HANG_MONITOR_H_
#define VMM_WITNESS_HANG_MONITOR_H_

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace vmm {

// One look at one vCPU.
struct VcpuSample {
  bool started = false;   // by the guest
  bool answered = false;  // in time; the rest is not known otherwise
  bool halted = false;
  bool interrupts = true;  // it takes them: RFLAGS.IF
  bool user_mode = false;  // CPL 3
  uint64_t rip = 0;
  uint64_t rsp = 0;
  uint64_t rcx = 0;  // and rdi: what a copy or a count changes
  uint64_t rdi = 0;
  absl::Duration ran;  // its thread, on a host CPU, since the look before
};

enum class HangKind { kInterruptsOff, kLivelock, kIdle, kHalted, kWatchdog };

// "interrupts-off", "livelock", "idle", "halted", "watchdog": stable words, used in result.json.
std::string_view HangKindName(HangKind kind);

struct Hang {
  HangKind kind = HangKind::kIdle;
  int vcpu = -1;               // the one that hangs; -1: all of them
  std::vector<uint64_t> rips;  // where it was seen, each once
  std::string detail;          // one line for people
};

// The guest's own watchdog was not fed for so long. Where it hangs nobody has seen.
Hang WatchdogHang(absl::Duration timeout);

// Owned and called by one thread.
class HangMonitor {
 public:
  static constexpr size_t kSamples = 16;   // in the time that makes a hang
  static constexpr size_t kFewPlaces = 6;  // so many places are a loop,
  static constexpr size_t kMost = 12;      // if so many of kSamples found the vCPU there, and not in a timer's tick
  static constexpr double kStarved = 0.1;  // of the time between two looks: less, and a vCPU did not get to run

  // REQUIRES: `hang_after` is positive.
  explicit HangMonitor(absl::Duration hang_after) : interval_(hang_after / kSamples) {}

  // How long to wait between two looks.
  absl::Duration interval() const { return interval_; }

  // One look at all vCPUs, `elapsed` after the one before, with all that the console has printed and been
  // given so far. A verdict as soon as there is one.
  std::optional<Hang> Add(absl::Duration elapsed, const std::vector<VcpuSample>& vcpus, uint64_t console_bytes);

  // Looks that said nothing because the host was too busy.
  uint64_t starved() const { return starved_; }

 private:
  using Place = std::array<uint64_t, 4>;  // RIP first, RSP, RCX, RDI

  // What a vCPU was found at.
  enum class State { kOff, kIdle, kHaltedForGood, kKernel, kBusy };
  struct Found {
    State state = State::kBusy;
    Place place;
    bool interrupts = true;
  };
  struct Look {
    std::vector<Found> vcpus;
    bool console_moved = false;
  };

  static Found Find(const VcpuSample& sample, absl::Duration elapsed);
  static std::set<uint64_t> RipsOfLoop(const std::map<Place, size_t>& times);

  std::optional<Hang> JudgeVcpu(size_t id, bool console_silent) const;
  std::optional<Hang> JudgeIdle() const;
  std::optional<Hang> JudgeHalted() const;
  // Where a vCPU halts with interrupts off that does nothing else; none if it does.
  std::set<uint64_t> RipsOfHalt(size_t id) const;

  const absl::Duration interval_;
  std::deque<Look> looks_;        // the last kSamples
  std::set<size_t> has_come_up_;  // vCPUs that were seen with interrupts on, or in user mode
  uint64_t console_bytes_ = 0;
  uint64_t starved_ = 0;
};

}  // namespace vmm

#endif  // VMM_WITNESS_HANG_MONITOR_H_
