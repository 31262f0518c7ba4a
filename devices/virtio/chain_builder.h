// Collects the descriptors of one request into a DescriptorChain, and judges each.
#ifndef DEVICES_VIRTIO_CHAIN_BUILDER_H_
#define DEVICES_VIRTIO_CHAIN_BUILDER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "base/guest_memory.h"
#include "devices/virtio/descriptor_chain.h"

namespace vmm {

// Longest indirect table, in descriptors, for queues smaller than that. It bounds our memory: at most 16 bytes for each
// descriptor of each request in flight. Drivers stay below it, because other devices have the same limit.
inline constexpr uint32_t kMaxIndirectTable = 1024;

class ChainBuilder {
 public:
  // `memory` is not owned.
  explicit ChainBuilder(GuestMemory& memory) : memory_(memory) {}

  // One buffer. InvalidArgument if it is readable and comes after a writable one (2.7.4.2), if it is not RAM, or if the
  // chain's bytes reach 2^32.
  absl::Status Add(GuestAddr addr, uint32_t len, bool writable);

  // The bytes of an indirect table. InvalidArgument if `len` is 0, no multiple of 16, more than
  // max(queue_size, kMaxIndirectTable) descriptors, or the table is not RAM.
  absl::StatusOr<std::span<const uint8_t>> Table(GuestAddr addr, uint32_t len, uint16_t queue_size);

  DescriptorChain Build(uint16_t id) { return DescriptorChain(id, std::move(readable_), std::move(writable_)); }

 private:
  GuestMemory& memory_;
  std::vector<iovec> readable_, writable_;
  uint64_t bytes_ = 0;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_CHAIN_BUILDER_H_
