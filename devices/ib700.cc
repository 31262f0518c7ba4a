#include "devices/ib700.h"

#include <algorithm>

#include "devices/abi/ib700_abi.h"

namespace vmm {

void Ib700::Read(uint64_t, std::span<uint8_t> data) { std::ranges::fill(data, 0xff); }

void Ib700::Write(uint64_t offset, std::span<const uint8_t> data) {
  if (offset == kIb700Start) {
    const absl::Duration timeout = Ib700Timeout(data[0]);
    timeout_ = absl::ToInt64Nanoseconds(timeout);
    deadline_ = absl::ToUnixNanos(clock_.Now() + timeout);
  } else if (offset == kIb700Stop) {
    deadline_ = kStopped;
  } else {
    return;
  }
  on_change_();
}

absl::Time Ib700::deadline() const {
  const int64_t deadline = deadline_;
  return deadline == kStopped ? absl::InfiniteFuture() : absl::FromUnixNanos(deadline);
}

}  // namespace vmm
