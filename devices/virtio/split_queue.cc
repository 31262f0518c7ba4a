#include "devices/virtio/split_queue.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "devices/virtio/abi/virtio_mmio_abi.h"
#include "devices/virtio/abi/virtio_ring_abi.h"
#include "devices/virtio/ring_memory.h"

namespace vmm {

SplitQueue::SplitQueue(const Place& place, GuestMemory& memory, RingEvents& events, const uint8_t* desc,
                       const uint8_t* avail, uint8_t* used)
    : Ring(place, memory, events), desc_(desc), avail_(avail), used_(used), in_flight_(place.layout.size) {}

absl::StatusOr<uint16_t> SplitQueue::CountAvailable() {
  const uint16_t idx = LoadAcquire<uint16_t>(avail_ + kVirtqAvailIdx);
  const uint16_t count = static_cast<uint16_t>(idx - next_avail_);
  if (count <= size()) return count;
  return absl::InvalidArgumentError(
      absl::StrFormat("available index went from %d to %d; the queue has %d descriptors", next_avail_, idx, size()));
}

// With EVENT_IDX the index of the next request stands in the ring until it is taken: nothing to do while busy.
void SplitQueue::AskForNotify(bool wanted) {
  if (has(kVirtioFEventIdx)) {
    if (wanted) StoreRelaxed<uint16_t>(used_ + kVirtqUsedRing + sizeof(VirtqUsedElem) * size(), next_avail_);
    return;
  }
  if (std::exchange(notify_wanted_, wanted) == wanted) return;
  StoreRelaxed<uint16_t>(used_, wanted ? 0 : kVirtqUsedFNoNotify);
}

absl::StatusOr<std::optional<DescriptorChain>> SplitQueue::Take() {
  ASSIGN_OR_RETURN(uint16_t available, CountAvailable());
  if (available == 0) {
    AskForNotify(true);
    RingFence();
    ASSIGN_OR_RETURN(available, CountAvailable());
    if (available == 0) return std::nullopt;
  }
  AskForNotify(false);
  const uint16_t head = LoadRelaxed<uint16_t>(avail_ + kVirtqAvailRing + 2 * (next_avail_ % size()));
  if (head >= size()) {
    return absl::InvalidArgumentError(absl::StrFormat("head %d; the queue has %d descriptors", head, size()));
  }
  if (in_flight_[head]) {
    return absl::InvalidArgumentError(absl::StrFormat("head %d made available twice, and not used between", head));
  }
  ChainBuilder builder(memory());
  RETURN_IF_ERROR(Annotate(ReadChain(head, builder), absl::StrFormat("chain at head %d", head)));
  in_flight_[head] = true;
  CountPop(++next_avail_);
  return builder.Build(head);
}

absl::Status SplitQueue::ReadChain(uint16_t head, ChainBuilder& builder) {
  uint16_t index = head;
  // As many steps as there are descriptors: more is a loop.
  for (uint32_t step = 0; step < size(); ++step) {
    const VirtqDesc desc = CopyDescriptor<VirtqDesc>(desc_ + sizeof(VirtqDesc) * index);
    if ((desc.flags & kVirtqDescFIndirect) != 0) {
      if (!has(kVirtioFIndirectDesc)) return absl::InvalidArgumentError("INDIRECT without the feature");
      if ((desc.flags & kVirtqDescFNext) != 0) return absl::InvalidArgumentError("INDIRECT and NEXT in one descriptor");
      return ReadTable(GuestAddr{desc.addr}, desc.len, builder);
    }
    RETURN_IF_ERROR(builder.Add(GuestAddr{desc.addr}, desc.len, (desc.flags & kVirtqDescFWrite) != 0));
    if ((desc.flags & kVirtqDescFNext) == 0) return absl::OkStatus();
    if (desc.next >= size()) {
      return absl::InvalidArgumentError(absl::StrFormat("next %d; the queue has %d descriptors", desc.next, size()));
    }
    index = desc.next;
  }
  return absl::InvalidArgumentError(absl::StrFormat("longer than the queue's %d descriptors, or a loop", size()));
}

absl::Status SplitQueue::ReadTable(GuestAddr addr, uint32_t len, ChainBuilder& builder) {
  ASSIGN_OR_RETURN(const std::span<const uint8_t> table, builder.Table(addr, len, size()));
  const size_t entries = table.size() / sizeof(VirtqDesc);
  size_t index = 0;
  for (size_t step = 0; step < entries; ++step) {
    const VirtqDesc desc = CopyDescriptor<VirtqDesc>(table.data() + sizeof(VirtqDesc) * index);
    if ((desc.flags & kVirtqDescFIndirect) != 0) return absl::InvalidArgumentError("INDIRECT inside an indirect table");
    RETURN_IF_ERROR(builder.Add(GuestAddr{desc.addr}, desc.len, (desc.flags & kVirtqDescFWrite) != 0));
    if ((desc.flags & kVirtqDescFNext) == 0) return absl::OkStatus();
    if (desc.next >= entries) {
      return absl::InvalidArgumentError(absl::StrFormat("next %d; the indirect table has %d", desc.next, entries));
    }
    index = desc.next;
  }
  return absl::InvalidArgumentError(absl::StrFormat("longer than the indirect table's %d, or a loop", entries));
}

void SplitQueue::Push(const DescriptorChain& chain, uint32_t written) {
  const uint16_t head = chain.id();
  if (dead() || head >= size() || !in_flight_[head]) return;
  in_flight_[head] = false;
  uint8_t* const elem = used_ + kVirtqUsedRing + sizeof(VirtqUsedElem) * (next_used_ % size());
  StoreRelaxed<uint32_t>(elem, head);
  StoreRelaxed<uint32_t>(elem + sizeof(uint32_t), written);
  StoreRelease<uint16_t>(used_ + kVirtqUsedIdx, ++next_used_);
  CountPush(next_used_);
}

bool SplitQueue::DriverWantsInterrupt() {
  const uint16_t before = std::exchange(interrupted_at_, next_used_);
  if (before == next_used_) return false;
  RingFence();
  if (!has(kVirtioFEventIdx)) return (LoadRelaxed<uint16_t>(avail_) & kVirtqAvailFNoInterrupt) == 0;
  // 2.7.10: wanted when the used index passes used_event.
  const uint16_t event = LoadRelaxed<uint16_t>(avail_ + kVirtqAvailRing + 2 * size());
  return static_cast<uint16_t>(next_used_ - event - 1) < static_cast<uint16_t>(next_used_ - before);
}

}  // namespace vmm
