#include "devices/virtio/ring.h"

#include <bit>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "devices/virtio/abi/virtio_mmio_abi.h"
#include "devices/virtio/abi/virtio_ring_abi.h"
#include "devices/virtio/packed_queue.h"
#include "devices/virtio/split_queue.h"

namespace vmm {
namespace {

absl::StatusOr<uint8_t*> Part(GuestMemory& memory, std::string_view name, GuestAddr addr, uint64_t bytes,
                              uint64_t align) {
  if (addr.value % align != 0) {
    return absl::InvalidArgumentError(absl::StrFormat("%s at %#x; must be a multiple of %d", name, addr.value, align));
  }
  ASSIGN_OR_RETURN(const std::span<uint8_t> host, Annotate(memory.Span({addr, bytes}), name));
  return host.data();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Ring>> Ring::Create(const Place& place, GuestMemory& memory, RingEvents& events) {
  const QueueLayout& layout = place.layout;
  const bool packed = (place.features & kVirtioFRingPacked) != 0;
  const uint64_t size = layout.size;
  if (size == 0 || size > kVirtqMaxSize || (!packed && !std::has_single_bit(size))) {
    return absl::InvalidArgumentError(absl::StrFormat("queue of %d descriptors; must be 1 to %d%s", size, kVirtqMaxSize,
                                                      packed ? "" : " and a power of two"));
  }
  ASSIGN_OR_RETURN(uint8_t* const desc,
                   Part(memory, "descriptors", layout.desc, size * sizeof(VirtqDesc), kVirtqDescAlign));
  if (packed) {
    ASSIGN_OR_RETURN(uint8_t* const driver,
                     Part(memory, "driver event suppression", layout.driver, kPvirtqEventBytes, kPvirtqEventAlign));
    ASSIGN_OR_RETURN(uint8_t* const device,
                     Part(memory, "device event suppression", layout.device, kPvirtqEventBytes, kPvirtqEventAlign));
    return std::make_unique<PackedQueue>(place, memory, events, desc, driver, device);
  }
  ASSIGN_OR_RETURN(uint8_t* const avail,
                   Part(memory, "available ring", layout.driver, VirtqAvailBytes(size), kVirtqAvailAlign));
  ASSIGN_OR_RETURN(uint8_t* const used,
                   Part(memory, "used ring", layout.device, VirtqUsedBytes(size), kVirtqUsedAlign));
  return std::make_unique<SplitQueue>(place, memory, events, desc, avail, used);
}

std::optional<DescriptorChain> Ring::Pop() {
  if (dead()) return std::nullopt;
  if (share_ == 0) {
    ended_early_ = true;
    return std::nullopt;
  }
  --share_;
  absl::StatusOr<std::optional<DescriptorChain>> chain = Take();
  if (chain.ok()) return *std::move(chain);
  Break(chain.status());
  return std::nullopt;
}

void Ring::Break(const absl::Status& why) {
  if (std::exchange(broken_, true)) return;
  events_.OnBroken(place_.index, why);
}

void Ring::Interrupt() {
  if (!dead() && DriverWantsInterrupt()) events_.OnUsedBuffers();
}

void Ring::CountPop(uint16_t next_avail) {
  next_avail_.store(next_avail, std::memory_order_relaxed);
  popped_.fetch_add(1, std::memory_order_relaxed);
}

void Ring::CountPush(uint16_t next_used) {
  next_used_.store(next_used, std::memory_order_relaxed);
  pushed_.fetch_add(1, std::memory_order_relaxed);
}

Virtqueue::Progress Ring::progress() const {
  return {.next_avail = next_avail_.load(std::memory_order_relaxed),
          .next_used = next_used_.load(std::memory_order_relaxed),
          .popped = popped_.load(std::memory_order_relaxed),
          .pushed = pushed_.load(std::memory_order_relaxed)};
}

}  // namespace vmm
