// Distinguishes a guest that hangs from one that is busy or at rest, by sampling it repeatedly from outside. This is
// pure judgement: others take the samples and act on the verdict.
//
// A hang is one of these, over the whole time:
//   interrupts off   a vCPU runs kernel code and takes no interrupts in any sample: a hard lockup
//   livelock         a vCPU runs kernel code, mostly at a handful of places, and the console is silent
//   idle             every vCPU is halted, and the console is silent: a deadlock, or a guest at rest
//   halted           every vCPU that was started is halted with interrupts off: none can ever run again
// A guest that computes in user mode, or moves about in the kernel, is busy. A place is an instruction together with
// the stack pointer and the counters it ran with: a long copy stays at one instruction, yet makes progress. A booting
// kernel keeps interrupts off until it has tables for them, for seconds on a slow host. Until a vCPU has been seen with
// interrupts on, it therefore hangs only if interrupts are off and it loops. A sample in which the host kept a vCPU
// from running says nothing about the guest, and counts for neither side.
//
// A single vCPU that is halted with interrupts off is no hang, whichever vCPU it is: Linux parks a CPU like that when
// it takes it offline, and waits like that for a paravirtual spinlock. Only an NMI, an SMI, an INIT or a kick by
// another vCPU ends such a halt. So once all vCPUs are halted like that, nothing in the guest can end it.
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

// One sample of one vCPU.
struct VcpuSample {
  bool started = false;   // the guest started it
  bool answered = false;  // it answered in time; otherwise the rest is unknown
  bool halted = false;
  bool interrupts = true;  // it takes them: RFLAGS.IF is set
  bool user_mode = false;  // CPL 3
  uint64_t rip = 0;
  uint64_t rsp = 0;
  uint64_t rcx = 0;  // RCX and RDI: a copy or a count changes them
  uint64_t rdi = 0;
  absl::Duration ran;  // how long its thread ran on a host CPU since the last sample
};

enum class HangKind { kInterruptsOff, kLivelock, kIdle, kHalted, kWatchdog };

// "interrupts-off", "livelock", "idle", "halted", "watchdog": stable words, used in result.json.
std::string_view HangKindName(HangKind kind);

struct Hang {
  HangKind kind = HangKind::kIdle;
  int vcpu = -1;               // the vCPU that hangs; -1: all of them
  std::vector<uint64_t> rips;  // where it was seen, without repeats
  std::string detail;          // one line for people
};

// The guest did not feed its own watchdog for `timeout`. Nobody saw where it hangs.
Hang WatchdogHang(absl::Duration timeout);

// Owned and called by one thread.
class HangMonitor {
 public:
  static constexpr size_t kSamples = 16;   // samples in the time that makes a hang
  static constexpr size_t kFewPlaces = 6;  // at most this many places are a loop,
  static constexpr size_t kMost = 12;      // if this many of kSamples found the vCPU there, and not in a timer tick
  static constexpr double kStarved = 0.1;  // fraction of the time between two samples: a vCPU that ran less was starved

  // REQUIRES: `hang_after` is positive.
  explicit HangMonitor(absl::Duration hang_after) : interval_(hang_after / kSamples) {}

  // The time to wait between two samples.
  absl::Duration interval() const { return interval_; }

  // Takes one sample of all vCPUs, `elapsed` after the last. `console_bytes` counts everything that the console has
  // printed and received so far. Returns a verdict as soon as there is one.
  std::optional<Hang> Add(absl::Duration elapsed, const std::vector<VcpuSample>& vcpus, uint64_t console_bytes);

  // The number of samples that said nothing because the host was too busy.
  uint64_t starved() const { return starved_; }

 private:
  using Place = std::array<uint64_t, 4>;  // RIP first, RSP, RCX, RDI

  // The state in which a vCPU was found.
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
  // The places where a vCPU halts with interrupts off, if it does nothing else; else empty.
  std::set<uint64_t> RipsOfHalt(size_t id) const;

  const absl::Duration interval_;
  std::deque<Look> looks_;        // the last kSamples
  std::set<size_t> has_come_up_;  // vCPUs that were seen with interrupts on, or in user mode
  uint64_t console_bytes_ = 0;
  uint64_t starved_ = 0;
};

}  // namespace vmm

#endif  // VMM_WITNESS_HANG_MONITOR_H_
