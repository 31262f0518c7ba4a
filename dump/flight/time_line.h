// Cuts a vCPU's life into equal bins of time, for drawing: its thread's share of the CPU in each, and the number of
// exits from the guest.
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

// The time between two of the scheduler's samples.
struct ThreadStretch {
  Stretch time;
  double ran = 0;     // seconds on a CPU
  double waited = 0;  // seconds waiting for a CPU
};

// The thread's life from its beginning to its end, without holes. Empty if there are no samples. The kernel adds a wait
// to its sum only when the wait is over, so any excess over an interval's length is moved to the intervals before it.
std::vector<ThreadStretch> ThreadStretches(const VcpuStory& vcpu, const HostClock& clock);

// Estimates the longest continuous wait: adjacent stretches spent almost wholly waiting, plus the waits in the
// stretches at either end. Empty if no stretch is almost wholly a wait. The result is never longer than the waits in
// all these stretches. A thread that always gets a part of the CPU has many short waits, which samples do not show.
std::optional<Stretch> LongestWait(const std::vector<ThreadStretch>& stretches);

struct TimeBin {
  // Shares of the bin, 0 to 1. In the rest, the thread slept or did not exist. `ran` and `waited` are 0 if the thread
  // was not sampled.
  double ran = 0;
  double waited = 0;
  double in_vmm = 0;  // only of the exits that were kept
  std::array<uint32_t, kExitFamilies> exits = {};

  uint32_t all_exits() const;
};

// Makes `count` bins over `window`, whose length is more than 0.
std::vector<TimeBin> MakeTimeBins(const VcpuStory& vcpu, const HostClock& clock, const Stretch& window, size_t count);

// A choice of time to look at: "whole life", "last 100 ms".
struct TimeWindow {
  std::string name;
  Stretch time;
};

// The whole life first, then the longest wait of any vCPU if it is long enough to matter, then ever shorter windows
// before the end.
std::vector<TimeWindow> ChooseWindows(const HostStory& story);

}  // namespace vmm

#endif  // DUMP_FLIGHT_TIME_LINE_H_
