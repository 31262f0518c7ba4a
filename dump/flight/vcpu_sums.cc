#include "dump/flight/vcpu_sums.h"

#include <map>
#include <utility>

namespace vmm {

ExitFamily FamilyOf(FlightKind kind) {
  switch (kind) {
    case FlightKind::kPioRead:
    case FlightKind::kPioWrite: return ExitFamily::kPio;
    case FlightKind::kMmioRead:
    case FlightKind::kMmioWrite: return ExitFamily::kMmio;
    case FlightKind::kInterrupted: return ExitFamily::kInterrupted;
    case FlightKind::kHalt: return ExitFamily::kHalt;
    case FlightKind::kShutdown:
    case FlightKind::kInternalError:
    case FlightKind::kFailEntry: return ExitFamily::kFatal;
    case FlightKind::kNone:
    case FlightKind::kBreakpoint:
    case FlightKind::kOther: break;
  }
  return ExitFamily::kOther;
}

std::string_view NameOf(ExitFamily family) {
  switch (family) {
    case ExitFamily::kPio: return "port I/O";
    case ExitFamily::kMmio: return "MMIO";
    case ExitFamily::kInterrupted: return "interrupted";
    case ExitFamily::kHalt: return "halt";
    case ExitFamily::kFatal: return "fatal";
    case ExitFamily::kOther: return "other";
  }
  return "other";
}

VcpuSums SumUp(const VcpuStory& vcpu, const HostClock& clock) {
  const FlightNoteHeader& header = vcpu.flight.header;
  VcpuSums sums = {.exits = header.exits,
                   .kept = vcpu.flight.records.size(),
                   .life = {clock.Seconds(header.start_tsc), clock.Seconds(header.end_tsc)},
                   .thread_known = vcpu.thread_known(),
                   .ran = static_cast<double>(header.run_ns) / 1e9,
                   .waited = static_cast<double>(header.wait_ns) / 1e9};
  std::map<std::pair<FlightKind, uint64_t>, ExitPlace> places;
  double entered = 0;          // the time when the guest was last entered
  bool entered_known = false;  // false if the field cannot hold the handling time of the exit before
  for (size_t i = 0; i < vcpu.flight.records.size(); ++i) {
    const FlightRecord& record = vcpu.flight.records[i];
    const double at = clock.Seconds(record.tsc);
    const double handling = clock.SecondsOfTicks(record.handling);
    if (entered_known && (!sums.longest_gap.has_value() || at - entered > sums.longest_gap->length())) {
      sums.longest_gap = Stretch{entered, at};
    }
    entered = at + handling;
    entered_known = record.handling != kHandlingOrMore;
    ++sums.by_family[static_cast<size_t>(FamilyOf(record.kind))];
    sums.in_vmm += handling;
    if (!sums.longest_handling.has_value() || record.handling > vcpu.flight.records[*sums.longest_handling].handling) {
      sums.longest_handling = i;
    }
    ExitPlace& place = places[{record.kind, record.address}];
    place.kind = record.kind;
    place.address = record.address;
    ++place.exits;
    place.handling += handling;
  }
  for (const auto& [key, place] : places) sums.places.push_back(place);
  std::ranges::stable_sort(sums.places, std::ranges::greater(), &ExitPlace::exits);
  if (sums.places.size() > VcpuSums::kMaxPlaces) sums.places.resize(VcpuSums::kMaxPlaces);
  return sums;
}

}  // namespace vmm
