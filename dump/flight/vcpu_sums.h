// Sums over one vCPU's exits and the scheduler's account of its thread.
#ifndef DUMP_FLIGHT_VCPU_SUMS_H_
#define DUMP_FLIGHT_VCPU_SUMS_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "dump/flight/host_story.h"

namespace vmm {

// Groups of exit kinds that a person would count as one.
enum class ExitFamily { kPio, kMmio, kInterrupted, kHalt, kFatal, kOther };
inline constexpr size_t kExitFamilies = 6;

ExitFamily FamilyOf(FlightKind kind);
std::string_view NameOf(ExitFamily family);  // "port I/O", "MMIO", ...

// The kept exits of one kind and one address. The kept exits are the last ones.
struct ExitPlace {
  FlightKind kind = FlightKind::kNone;
  uint64_t address = 0;
  uint64_t exits = 0;
  double handling = 0;  // seconds in all, a lower bound: a record may hold kHandlingOrMore
};

// A stretch of time, in seconds of the story's clock.
struct Stretch {
  double from = 0;
  double to = 0;
  double length() const { return to - from; }
};

struct VcpuSums {
  static constexpr size_t kMaxPlaces = 10;

  uint64_t exits = 0;  // in all
  uint64_t kept = 0;   // exits that were kept; the fields below cover only these
  std::array<uint64_t, kExitFamilies> by_family = {};
  std::vector<ExitPlace> places;  // the ones with the most exits, at most kMaxPlaces
  double in_vmm = 0;              // seconds of the kept exits' handling, a lower bound

  // Over the kept exits. Empty if there are none.
  std::optional<size_t> longest_handling;  // index of the record
  std::optional<Stretch> longest_gap;      // time without an exit, in the guest or not on a CPU at all

  // The thread's life, from the host's scheduler. The thread slept for the rest of it: the guest was halted, or vmm
  // waited.
  Stretch life;
  bool thread_known = false;  // false: `ran` and `waited` are 0 and mean nothing
  double ran = 0;
  double waited = 0;

  double asleep() const { return thread_known ? std::max(0.0, life.length() - ran - waited) : 0; }
  // The share of its runnable time, 0 to 1, in which the thread waited for a CPU. 0 if nothing is known.
  double starved() const { return ran + waited > 0 ? waited / (ran + waited) : 0; }
};

VcpuSums SumUp(const VcpuStory& vcpu, const HostClock& clock);

}  // namespace vmm

#endif  // DUMP_FLIGHT_VCPU_SUMS_H_
