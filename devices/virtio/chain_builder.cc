#include "devices/virtio/chain_builder.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "devices/virtio/abi/virtio_ring_abi.h"

namespace vmm {

absl::Status ChainBuilder::Add(GuestAddr addr, uint32_t len, bool writable) {
  if (!writable && !writable_.empty()) {
    return absl::InvalidArgumentError("a buffer to read follows one to write");
  }
  bytes_ += len;
  if (bytes_ > std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError(absl::StrFormat("buffers of %d bytes; the limit is 2^32-1", bytes_));
  }
  ASSIGN_OR_RETURN(const std::span<uint8_t> host, Annotate(memory_.Span({addr, len}), "buffer"));
  (writable ? writable_ : readable_).push_back({host.data(), host.size()});
  return absl::OkStatus();
}

absl::StatusOr<std::span<const uint8_t>> ChainBuilder::Table(GuestAddr addr, uint32_t len, uint16_t queue_size) {
  constexpr uint32_t kDesc = sizeof(VirtqDesc);
  const uint32_t limit = std::max<uint32_t>(queue_size, kMaxIndirectTable);
  if (len == 0 || len % kDesc != 0 || len / kDesc > limit) {
    return absl::InvalidArgumentError(
        absl::StrFormat("indirect table of %d bytes; must be a multiple of 16, up to %d descriptors", len, limit));
  }
  ASSIGN_OR_RETURN(const std::span<uint8_t> host, Annotate(memory_.Span({addr, len}), "indirect table"));
  return std::span<const uint8_t>(host);
}

}  // namespace vmm
