#include "devices/pvpanic.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_format.h"
#include "devices/abi/pvpanic_abi.h"

namespace vmm {
namespace {

// "guest wrote 0x19: panicked; unknown bits 0x18 ignored"
std::string Describe(uint64_t value) {
  std::string names;
  const auto name = [&](uint32_t bit, const char* word) {
    if ((value & bit) != 0) names += (names.empty() ? "" : ", ") + std::string(word);
  };
  name(kPvpanicPanicked, "panicked");
  name(kPvpanicCrashLoaded, "crash kernel loaded");
  name(kPvpanicShutdown, "shutdown");
  std::string detail = absl::StrFormat("guest wrote %#x: %s", value, names);
  if (const uint64_t unknown = value & ~uint64_t{kPvpanicKnown}; unknown != 0) {
    detail += absl::StrFormat("; unknown bits %#x ignored", unknown);
  }
  return detail;
}

}  // namespace

void Pvpanic::Read(uint64_t offset, std::span<uint8_t> data) {
  std::fill(data.begin(), data.end(), 0);
  if (offset == 0 && !data.empty()) data[0] = kPvpanicKnown;
}

void Pvpanic::Write(uint64_t offset, std::span<const uint8_t> data) {
  if (offset != 0) return;  // bits above 7 have no meaning
  uint64_t value = 0;
  for (size_t i = 0; i < data.size(); ++i) value |= uint64_t{data[i]} << (8 * i);

  // Tests bits, not equality, because a newer guest may set more bits than this machine knows. If several are set,
  // panicked takes precedence: a dump too many is better than a missing one.
  if ((value & (kPvpanicPanicked | kPvpanicCrashLoaded)) != 0) {
    panics_.OnPanic(PanicEvent{
        .source = PanicSource::kPvpanic, .crash_loaded = (value & kPvpanicPanicked) == 0, .detail = Describe(value)});
  } else if ((value & kPvpanicShutdown) != 0) {
    requests_.OnGuestRequest(GuestRequest{.kind = GuestRequest::Kind::kPowerOff, .by = name()});
  }
}

}  // namespace vmm
