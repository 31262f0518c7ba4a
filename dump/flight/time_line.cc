#include "dump/flight/time_line.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <utility>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

// Calls add(bin, share of the bin) for each bin that `time` touches.
template <typename Add>
void Spread(const Stretch& time, const Stretch& window, size_t count, Add add) {
  const double width = window.length() / static_cast<double>(count);
  const double from = std::max(time.from, window.from), to = std::min(time.to, window.to);
  if (!(from < to) || !(width > 0)) return;
  const auto bin_at = [&](double at) {
    return std::min(count - 1, static_cast<size_t>(std::max(0.0, (at - window.from) / width)));
  };
  for (size_t bin = bin_at(from); bin <= bin_at(to); ++bin) {
    const double start = window.from + width * static_cast<double>(bin);
    const double overlap = std::min(to, start + width) - std::max(from, start);
    if (overlap > 0) add(bin, overlap / width);
  }
}

}  // namespace

std::vector<ThreadStretch> ThreadStretches(const VcpuStory& vcpu, const HostClock& clock) {
  const FlightNoteHeader& header = vcpu.flight.header;
  if (!vcpu.sampled()) return {};
  std::vector<SchedRecord> points = {{.tsc = header.start_tsc}};
  for (const SchedRecord& record : vcpu.sched->records) {
    if (record.tsc > points.back().tsc && record.tsc < header.end_tsc) points.push_back(record);
  }
  const SchedRecord end = {.tsc = header.end_tsc, .run_ns = header.run_ns, .wait_ns = header.wait_ns};
  if (end.tsc > points.back().tsc && end.run_ns >= points.back().run_ns && end.wait_ns >= points.back().wait_ns) {
    points.push_back(end);
  }

  std::vector<ThreadStretch> stretches(points.size() - 1);
  double ran_left = 0, waited_left = 0;
  for (size_t i = stretches.size(); i-- > 0;) {
    ThreadStretch& stretch = stretches[i];
    stretch.time = {clock.Seconds(points[i].tsc), clock.Seconds(points[i + 1].tsc)};
    ran_left += static_cast<double>(points[i + 1].run_ns - points[i].run_ns) / 1e9;
    waited_left += static_cast<double>(points[i + 1].wait_ns - points[i].wait_ns) / 1e9;
    stretch.ran = std::min(ran_left, stretch.time.length());
    stretch.waited = std::min(waited_left, stretch.time.length() - stretch.ran);
    ran_left -= stretch.ran;
    waited_left -= stretch.waited;
  }
  return stretches;
}

std::optional<Stretch> LongestWait(const std::vector<ThreadStretch>& stretches) {
  constexpr double kNearlyAll = 0.9;
  const auto only_waited = [](const ThreadStretch& stretch) {
    return stretch.time.length() > 0 && stretch.waited >= kNearlyAll * stretch.time.length();
  };
  std::optional<Stretch> longest;
  for (auto first = std::ranges::find_if(stretches, only_waited); first != stretches.end();) {
    const auto last = std::find_if_not(first, stretches.end(), only_waited);  // one past the last
    const double before = first == stretches.begin() ? 0 : std::prev(first)->waited;
    double waited = before + (last == stretches.end() ? 0 : last->waited);
    for (auto inner = first; inner != last; ++inner) waited += inner->waited;
    if (!longest.has_value() || waited > longest->length()) {
      const double from = first->time.from - before;
      longest = Stretch{from, from + waited};
    }
    first = std::find_if(last, stretches.end(), only_waited);
  }
  return longest;
}

uint32_t TimeBin::all_exits() const { return std::accumulate(exits.begin(), exits.end(), 0u); }

std::vector<TimeBin> MakeTimeBins(const VcpuStory& vcpu, const HostClock& clock, const Stretch& window, size_t count) {
  std::vector<TimeBin> bins(count);
  for (const ThreadStretch& stretch : ThreadStretches(vcpu, clock)) {
    const double length = stretch.time.length();
    if (length <= 0) continue;
    Spread(stretch.time, window, count, [&](size_t bin, double share) {
      bins[bin].ran += share * stretch.ran / length;
      bins[bin].waited += share * stretch.waited / length;
    });
  }
  for (const FlightRecord& record : vcpu.flight.records) {
    const double at = clock.Seconds(record.tsc);
    Spread({at, at + clock.SecondsOfTicks(record.handling)}, window, count,
           [&](size_t bin, double share) { bins[bin].in_vmm += share; });
    if (at < window.from || at > window.to) continue;
    const double place = (at - window.from) / window.length() * static_cast<double>(count);
    ++bins[std::min(count - 1, static_cast<size_t>(place))].exits[static_cast<size_t>(FamilyOf(record.kind))];
  }
  // Clamp the effects of rounding, and of exits whose handling was longer than its field can hold.
  for (TimeBin& bin : bins) {
    bin.ran = std::min(bin.ran, 1.0);
    bin.waited = std::min(bin.waited, 1.0 - bin.ran);
    bin.in_vmm = std::min(bin.in_vmm, 1.0);
  }
  return bins;
}

std::vector<TimeWindow> ChooseWindows(const HostStory& story) {
  constexpr double kShortWait = 0.1;
  const double end = story.clock.end();
  // A story of no length can be drawn too.
  std::vector<TimeWindow> windows = {{"whole life", {0, std::max(end, 1e-6)}}};
  std::optional<Stretch> wait;
  for (const VcpuStory& vcpu : story.vcpus) {
    const std::optional<Stretch> longest = LongestWait(ThreadStretches(vcpu, story.clock));
    if (longest.has_value() && (!wait.has_value() || longest->length() > wait->length())) wait = longest;
  }
  if (wait.has_value() && wait->length() >= kShortWait) {
    const double margin = wait->length() / 2;
    windows.push_back({"longest wait", {std::max(0.0, wait->from - margin), std::min(end, wait->to + margin)}});
  }
  for (const auto& [name, length] :
       {std::pair{"last 10 s", 10.0}, {"last second", 1.0}, {"last 100 ms", 0.1}, {"last 10 ms", 0.01}}) {
    if (length < 0.7 * end) windows.push_back({name, {end - length, end}});
  }
  return windows;
}

}  // namespace vmm
