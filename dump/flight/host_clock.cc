#include "dump/flight/host_clock.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

namespace vmm {
namespace {

// The range of a TSC's rate, generously.
constexpr double kMinHz = 1e6, kMaxHz = 1e11;

constexpr double kLongestUptime = 1e9;  // 30 years

}  // namespace

std::optional<double> PrintkSeconds(std::string_view line) {
  if (!line.starts_with('[')) return std::nullopt;
  const size_t end = line.find(']');
  if (end == line.npos || end > 24) return std::nullopt;
  std::string_view stamp = line.substr(1, end - 1);
  while (stamp.starts_with(' ')) stamp.remove_prefix(1);
  const bool is_number = stamp.find_first_not_of("0123456789.") == stamp.npos && stamp.find('.') != stamp.npos;
  double seconds = 0;
  if (!is_number || !absl::SimpleAtod(absl::string_view(stamp.data(), stamp.size()), &seconds)) return std::nullopt;
  if (seconds <= 0 || seconds > kLongestUptime) return std::nullopt;
  return seconds;
}

HostClock::HostClock(std::span<const FlightNoteHeader> vcpus, std::span<const ConsoleLine> console) {
  if (vcpus.empty()) return;
  start_tsc_ = std::ranges::min(vcpus, {}, &FlightNoteHeader::start_tsc).start_tsc;
  const auto life = [](const FlightNoteHeader& vcpu) { return vcpu.end_ns - vcpu.start_ns; };
  const FlightNoteHeader longest = std::ranges::max(vcpus, {}, life);
  const double hz = static_cast<double>(longest.end_tsc - longest.start_tsc) /
                    std::max(1e-9 * static_cast<double>(life(longest)), 1e-9);
  rate_known_ = hz >= kMinHz && hz <= kMaxHz;
  if (rate_known_) tsc_hz_ = hz;
  end_ = Seconds(std::ranges::max(vcpus, {}, &FlightNoteHeader::end_tsc).end_tsc);

  double last = 0;
  for (const ConsoleLine& line : console) {
    const std::optional<double> stamp = PrintkSeconds(line.text);
    if (!stamp.has_value() || !rate_known_) continue;
    last = *stamp - Seconds(line.tsc);
    if (!guest_zero_.has_value() || last > *guest_zero_) guest_zero_ = last;
  }
  // A guest that had to wait may have lost timer ticks, and its clock with them. Then no single difference is right.
  if (guest_zero_.has_value() && *guest_zero_ - last > std::max(1.0, end_ / 20)) guest_zero_.reset();
}

double HostClock::Seconds(uint64_t tsc) const { return tsc <= start_tsc_ ? 0 : SecondsOfTicks(tsc - start_tsc_); }

}  // namespace vmm
