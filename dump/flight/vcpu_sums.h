// What the exits and the scheduler's account of one vCPU come to.
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

// Kinds of exits that a person would count as one.
enum class ExitFamily { kPio, kMmio, kInterrupted, kHalt, kFatal, kOther };
inline constexpr size_t kExitFamilies = 6;

ExitFamily FamilyOf(FlightKind kind);
std::string_view NameOf(ExitFamily family);  // "port I/O", "MMIO", ...

// The last exits that were kept, of one kind and one address.
struct ExitPlace {
  FlightKind kind = FlightKind::kNone;
  uint64_t address = 0;
  uint64_t exits = 0;
  double handling = 0;  // seconds in all, at least: a record's can be kHandlingOrMore
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
  uint64_t kept = 0;   // of those the following is known
  std::array<uint64_t, kExitFamilies> by_family = {};
  std::vector<ExitPlace> places;  // those with the most exits, at most kMaxPlaces
  double in_vmm = 0;              // seconds of the kept exits' handling, at least

  // Of the kept exits; none where there are none.
  std::optional<size_t> longest_handling;  // index of the record
  std::optional<Stretch> longest_gap;      // in the guest, or not on a CPU at all, without an exit

  // Of the thread's life, by the host's scheduler. The rest it slept: the guest was halted, or vmm waited.
  Stretch life;
  bool thread_known = false;  // else what follows is 0, and says nothing
  double ran = 0;
  double waited = 0;

  double asleep() const { return thread_known ? std::max(0.0, life.length() - ran - waited) : 0; }
  // Of the time that it wanted to run, how much it did not. 0 where nothing is known.
  double starved() const { return ran + waited > 0 ? waited / (ran + waited) : 0; }
};

VcpuSums SumUp(const VcpuStory& vcpu, const HostClock& clock);

}  // namespace vmm

#endif  // DUMP_FLIGHT_VCPU_SUMS_H_
