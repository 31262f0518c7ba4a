#include "devices/debug_exit.h"

#include <algorithm>

namespace vmm {
namespace {

constexpr uint64_t kDoorbell = 1;

}  // namespace

void DebugExit::Read(uint64_t, std::span<uint8_t> data) { std::fill(data.begin(), data.end(), 0xff); }

void DebugExit::Write(uint64_t offset, std::span<const uint8_t> data) {
  if (offset == kDoorbell && data.size() == 1 && on_doorbell_) on_doorbell_();
  if (offset != 0) return;
  uint32_t status = 0;
  for (size_t i = 0; i < data.size(); ++i) status |= uint32_t{data[i]} << (8 * i);
  requests_.OnGuestRequest(GuestRequest{.kind = GuestRequest::Kind::kExit, .by = name(), .status = status});
}

}  // namespace vmm
