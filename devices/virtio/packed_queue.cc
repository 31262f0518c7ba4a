#include "devices/virtio/packed_queue.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "devices/virtio/abi/virtio_mmio_abi.h"
#include "devices/virtio/abi/virtio_ring_abi.h"
#include "devices/virtio/ring_memory.h"

namespace vmm {

void PackedQueue::Position::Skip(uint16_t count, uint16_t size) {
  const uint32_t next = uint32_t{index} + count;
  if (next >= size) wrap = !wrap;
  index = static_cast<uint16_t>(next >= size ? next - size : next);
}

// 2.8.1: available if AVAIL is as our wrap counter and USED is not.
bool PackedQueue::IsAvailable() const {
  const uint16_t flags = LoadAcquire<uint16_t>(desc_ + sizeof(PvirtqDesc) * avail_.index + offsetof(PvirtqDesc, flags));
  return ((flags & kPvirtqDescFAvail) != 0) == avail_.wrap && ((flags & kPvirtqDescFUsed) != 0) != avail_.wrap;
}

void PackedQueue::AskForNotify(bool wanted) {
  if (has(kVirtioFEventIdx)) {
    if (!wanted) return;
    StoreRelaxed<uint16_t>(device_ + kPvirtqEventDesc,
                           static_cast<uint16_t>(avail_.index | (avail_.wrap ? kPvirtqEventWrap : 0)));
    StoreRelease<uint16_t>(device_ + kPvirtqEventFlags, kPvirtqEventOneDesc);
    return;
  }
  if (std::exchange(notify_wanted_, wanted) == wanted) return;
  StoreRelaxed<uint16_t>(device_ + kPvirtqEventFlags, wanted ? kPvirtqEventEnable : kPvirtqEventDisable);
}

absl::StatusOr<std::optional<DescriptorChain>> PackedQueue::Take() {
  if (!IsAvailable()) {
    AskForNotify(true);
    RingFence();
    if (!IsAvailable()) return std::nullopt;
  }
  AskForNotify(false);
  ChainBuilder builder(memory());
  ASSIGN_OR_RETURN(const Found found,
                   Annotate(ReadChain(builder), absl::StrFormat("chain at descriptor %d", avail_.index)));
  if (!in_flight_.emplace(found.id, found.slots).second) {
    return absl::InvalidArgumentError(
        absl::StrFormat("buffer id %d made available twice, and not used between", found.id));
  }
  slots_in_flight_ += found.slots;
  avail_.Skip(found.slots, size());
  CountPop(avail_.index);
  return builder.Build(found.id);
}

absl::StatusOr<PackedQueue::Found> PackedQueue::ReadChain(ChainBuilder& builder) {
  Position at = avail_;
  const uint32_t free = size() - slots_in_flight_;
  for (uint32_t slots = 1; slots <= free; ++slots, at.Skip(1, size())) {
    const PvirtqDesc desc = CopyDescriptor<PvirtqDesc>(desc_ + sizeof(PvirtqDesc) * at.index);
    const bool last = (desc.flags & kVirtqDescFNext) == 0;
    if ((desc.flags & kVirtqDescFIndirect) != 0) {
      if (!has(kVirtioFIndirectDesc)) return absl::InvalidArgumentError("INDIRECT without the feature");
      if (!last) return absl::InvalidArgumentError("INDIRECT and NEXT in one descriptor");
      RETURN_IF_ERROR(ReadTable(GuestAddr{desc.addr}, desc.len, builder));
    } else {
      RETURN_IF_ERROR(builder.Add(GuestAddr{desc.addr}, desc.len, (desc.flags & kVirtqDescFWrite) != 0));
    }
    // 2.8.6: the id stands in the last descriptor of the chain.
    if (last) return Found{desc.id, static_cast<uint16_t>(slots)};
  }
  return absl::InvalidArgumentError(
      absl::StrFormat("longer than the %d descriptors that are not in flight, of %d", free, size()));
}

// 2.8.7: all descriptors of the table, in order. Only their WRITE flag counts.
absl::Status PackedQueue::ReadTable(GuestAddr addr, uint32_t len, ChainBuilder& builder) {
  ASSIGN_OR_RETURN(const std::span<const uint8_t> table, builder.Table(addr, len, size()));
  for (size_t at = 0; at < table.size(); at += sizeof(PvirtqDesc)) {
    const PvirtqDesc desc = CopyDescriptor<PvirtqDesc>(table.data() + at);
    if ((desc.flags & kVirtqDescFIndirect) != 0) return absl::InvalidArgumentError("INDIRECT inside an indirect table");
    RETURN_IF_ERROR(builder.Add(GuestAddr{desc.addr}, desc.len, (desc.flags & kVirtqDescFWrite) != 0));
  }
  return absl::OkStatus();
}

void PackedQueue::Push(const DescriptorChain& chain, uint32_t written) {
  const auto found = in_flight_.find(chain.id());
  if (dead() || found == in_flight_.end()) return;
  const uint16_t slots = found->second;
  in_flight_.erase(found);
  slots_in_flight_ -= slots;

  uint8_t* const desc = desc_ + sizeof(PvirtqDesc) * used_.index;
  StoreRelaxed<uint32_t>(desc + offsetof(PvirtqDesc, len), written);
  StoreRelaxed<uint16_t>(desc + offsetof(PvirtqDesc, id), chain.id());
  uint16_t flags = used_.wrap ? kPvirtqDescFAvail | kPvirtqDescFUsed : 0;
  if (written != 0) flags |= kVirtqDescFWrite;
  StoreRelease<uint16_t>(desc + offsetof(PvirtqDesc, flags), flags);

  const bool wrap = used_.wrap;
  used_.Skip(slots, size());
  if (used_.wrap != wrap) interrupted_at_.reset();
  ++pushed_since_;
  CountPush(used_.index);
}

bool PackedQueue::DriverWantsInterrupt() {
  if (std::exchange(pushed_since_, 0) == 0) return false;
  const std::optional<uint16_t> before = std::exchange(interrupted_at_, used_.index);
  RingFence();
  const uint16_t flags = LoadAcquire<uint16_t>(driver_ + kPvirtqEventFlags) & 3;
  if (flags == kPvirtqEventDisable) return false;
  if (flags != kPvirtqEventOneDesc || !has(kVirtioFEventIdx) || !before.has_value()) return true;
  // 2.8.10: wanted when the used position passes the descriptor that the driver names, in this or the last round.
  const uint16_t event = LoadRelaxed<uint16_t>(driver_ + kPvirtqEventDesc);
  int index = event & (kPvirtqEventWrap - 1);
  if (((event & kPvirtqEventWrap) != 0) != used_.wrap) index -= size();
  return static_cast<uint16_t>(used_.index - index - 1) < static_cast<uint16_t>(used_.index - *before);
}

}  // namespace vmm
