#include "dump/flight/host_words.h"

#include <cmath>

#include "absl/strings/str_format.h"

namespace vmm {

std::string InWords(double seconds) {
  const double size = std::abs(seconds);
  if (size >= 0.9995) return absl::StrFormat("%.3f s", seconds);
  if (size >= 0.9995e-3) return absl::StrFormat("%.3g ms", seconds * 1e3);
  if (size >= 0.9995e-6) return absl::StrFormat("%.3g us", seconds * 1e6);
  return absl::StrFormat("%.0f ns", seconds * 1e9);
}

std::string HandlingInWords(const FlightRecord& record, const HostClock& clock) {
  return (record.handling == kHandlingOrMore ? ">= " : "") + InWords(clock.SecondsOfTicks(record.handling));
}

std::string PerCent(double share) {
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  return absl::StrFormat("%.1f %%", share * 100);
}

std::string Stamp(const HostClock& clock, double seconds) {
  const double shown = clock.guest_zero().has_value() ? seconds + *clock.guest_zero() : seconds - clock.end();
  return absl::StrFormat("[%12.6f]", shown);
}

std::string PlaceInWords(FlightKind kind, uint64_t address) {
  switch (kind) {
    case FlightKind::kPioRead:
    case FlightKind::kPioWrite: return absl::StrFormat("port %#x", address);
    case FlightKind::kMmioRead:
    case FlightKind::kMmioWrite:
    case FlightKind::kBreakpoint: return absl::StrFormat("%#x", address);
    case FlightKind::kInternalError: return absl::StrFormat("suberror %d", address);
    case FlightKind::kFailEntry: return absl::StrFormat("reason %#x", address);
    case FlightKind::kOther: return absl::StrFormat("KVM exit reason %d", address);
    default: return "";
  }
}

}  // namespace vmm
