// A vCPU's life cut into equal bins of time, for drawing: what its thread had of the CPU in each, and how often it
// came out of the guest.
#ifndef DUMP_FLIGHT_TIME_LINE_H_
#define DUMP_FLIGHT_TIME_LINE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dump/flight/host_story.h"
#include "dump/flight/vcpu_sums.h"

namespace vmm {

// Between two of the scheduler's samples.
struct ThreadStretch {
  Stretch time;
  double ran = 0;     // seconds of it
  double waited = 0;  // seconds of it
};

// From the thread's begin to its end, without holes; empty where there are no samples. The kernel adds a wait to its
// sum only when it is over: what is more than an interval can hold is given back to the intervals before it.
std::vector<ThreadStretch> ThreadStretches(const VcpuStory& vcpu, const HostClock& clock);

// About when the thread waited longest without a break, where there is a stretch that was nearly all a wait: such
// stretches one behind the other, and of the two at their ends what was waited in them. Never longer than what was
// waited in all these: a thread that always gets a part of the CPU has many short waits, of which samples tell nothing.
std::optional<Stretch> LongestWait(const std::vector<ThreadStretch>& stretches);

struct TimeBin {
  // Shares of the bin, 0 to 1; the rest the thread slept, or was not there. 0 of a thread that was not sampled.
  double ran = 0;
  double waited = 0;
  double in_vmm = 0;  // of the exits that were kept
  std::array<uint32_t, kExitFamilies> exits = {};

  uint32_t all_exits() const;
};

// `count` bins over `window`, which is longer than nothing.
std::vector<TimeBin> MakeTimeBins(const VcpuStory& vcpu, const HostClock& clock, const Stretch& window, size_t count);

// A choice of time to look at: "whole life", "last 100 ms".
struct TimeWindow {
  std::string name;
  Stretch time;
};

// The whole life first, then the longest wait of any vCPU where it is worth a look, then ever less before the end.
std::vector<TimeWindow> ChooseWindows(const HostStory& story);

}  // namespace vmm

#endif  // DUMP_FLIGHT_TIME_LINE_H_
