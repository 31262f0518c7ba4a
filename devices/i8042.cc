#include "devices/i8042.h"

namespace vmm {

void I8042::Read(uint64_t, std::span<uint8_t> data) { data[0] = kAbsentStatus; }

void I8042::Write(uint64_t, std::span<const uint8_t> data) {
  const bool is_pulse = (data[0] & 0xf0) == kPulseOutput;
  const bool reset_line_stays_high = (data[0] & 0x01) != 0;
  if (!is_pulse || reset_line_stays_high) return;
  requests_.OnGuestRequest(GuestRequest{.kind = GuestRequest::Kind::kReset, .by = name()});
}

}  // namespace vmm
