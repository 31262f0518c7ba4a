#include "devices/reset_control.h"

namespace vmm {

void ResetControl::Read(uint64_t, std::span<uint8_t> data) { data[0] = value_; }

void ResetControl::Write(uint64_t, std::span<const uint8_t> data) {
  value_ = data[0] & (kSysRst | kFullRst);
  if ((data[0] & kRstCpu) != 0) {
    requests_.OnGuestRequest(GuestRequest{.kind = GuestRequest::Kind::kReset, .by = name()});
  }
}

}  // namespace vmm
