// The driver's side of a virtqueue, in both forms, for tests: it keeps the rules unless the test breaks them through
// memory().
#ifndef DEVICES_VIRTIO_TESTING_RING_DRIVER_H_
#define DEVICES_VIRTIO_TESTING_RING_DRIVER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "base/guest_memory.h"
#include "devices/virtio/abi/virtio_ring_abi.h"
#include "devices/virtio/ring_memory.h"
#include "devices/virtio/virtqueue.h"

namespace vmm {

// Used by one thread. The guest has 1 MiB of RAM at 0: the ring from 0x1000, indirect tables from 0x8000, and what a
// test wants from 0x10000 up.
class RingDriver {
 public:
  struct Buffer {
    uint64_t addr;
    uint32_t len;
    bool write;
  };
  struct Used {
    uint16_t id;
    uint32_t len;
    friend bool operator==(const Used&, const Used&) = default;
  };
  static constexpr uint64_t kDesc = 0x1000, kDriver = 0x3000, kDevice = 0x4000, kTables = 0x8000, kData = 0x10000;

  RingDriver(GuestMemory& memory, uint16_t size) : memory_(memory), size_(size) {}
  virtual ~RingDriver() = default;

  QueueLayout layout() const {
    return {.size = size_, .desc = GuestAddr{kDesc}, .driver = GuestAddr{kDriver}, .device = GuestAddr{kDevice}};
  }

  // Makes a request available. Returns its id.
  virtual uint16_t Offer(const std::vector<Buffer>& buffers, bool indirect = false) = 0;
  virtual std::vector<Used> TakeUsed() = 0;
  // True if the device wants to be notified of the request that was offered last, with or without EVENT_IDX.
  virtual bool DeviceWantsNotify(bool event_idx) = 0;
  // Asks the device for no interrupt, or (EVENT_IDX) for one about the request after `more` others.
  virtual void WantNoInterrupt() = 0;
  virtual void WantInterruptAfter(uint16_t more) = 0;

  uint8_t* At(uint64_t addr) { return memory_.Span({GuestAddr{addr}, 16})->data(); }

 protected:
  GuestMemory& memory_;
  const uint16_t size_;
};

class SplitDriver final : public RingDriver {
 public:
  using RingDriver::RingDriver;

  VirtqDesc& desc(uint16_t index) { return reinterpret_cast<VirtqDesc*>(At(kDesc))[index]; }
  uint16_t& avail(int word) { return reinterpret_cast<uint16_t*>(At(kDriver))[word]; }  // 0 flags, 1 idx, 2... ring
  uint16_t used_event() { return avail(2 + size_); }
  uint16_t avail_event() { return LoadRelaxed<uint16_t>(At(kDevice) + 4 + 8 * size_); }

  uint16_t Offer(const std::vector<Buffer>& buffers, bool indirect = false) override {
    const uint16_t head = next_;
    if (indirect) {
      const uint64_t table = kTables + head * 0x100u;
      for (size_t i = 0; i < buffers.size(); ++i) {
        const bool last = i + 1 == buffers.size();
        reinterpret_cast<VirtqDesc*>(At(table))[i] = {buffers[i].addr, buffers[i].len, Flags(buffers[i], last),
                                                      static_cast<uint16_t>(i + 1)};
      }
      desc(head) = {table, static_cast<uint32_t>(16 * buffers.size()), kVirtqDescFIndirect, 0};
      next_ = (next_ + 1) % size_;
    } else {
      for (size_t i = 0; i < buffers.size(); ++i) {
        const uint16_t at = next_;
        next_ = (next_ + 1) % size_;
        desc(at) = {buffers[i].addr, buffers[i].len, Flags(buffers[i], i + 1 == buffers.size()), next_};
      }
    }
    Publish(head);
    return head;
  }
  void Publish(uint16_t head) {
    avail(2 + avail(1) % size_) = head;
    StoreRelease<uint16_t>(At(kDriver) + kVirtqAvailIdx, avail(1) + 1);
  }
  std::vector<Used> TakeUsed() override {
    std::vector<Used> used;
    for (; taken_ != LoadAcquire<uint16_t>(At(kDevice) + kVirtqUsedIdx); ++taken_) {
      const VirtqUsedElem& elem = reinterpret_cast<const VirtqUsedElem*>(At(kDevice) + kVirtqUsedRing)[taken_ % size_];
      used.push_back({static_cast<uint16_t>(elem.id), elem.len});
    }
    return used;
  }
  bool DeviceWantsNotify(bool event_idx) override {
    if (event_idx) return avail_event() == static_cast<uint16_t>(avail(1) - 1);
    return (LoadRelaxed<uint16_t>(At(kDevice)) & kVirtqUsedFNoNotify) == 0;
  }
  void WantNoInterrupt() override { avail(0) = kVirtqAvailFNoInterrupt; }
  void WantInterruptAfter(uint16_t more) override { avail(2 + size_) = taken_ + more; }

 private:
  static uint16_t Flags(const Buffer& buffer, bool last) {
    return static_cast<uint16_t>((buffer.write ? kVirtqDescFWrite : 0) | (last ? 0 : kVirtqDescFNext));
  }

  uint16_t next_ = 0;   // descriptor
  uint16_t taken_ = 0;  // used index
};

class PackedDriver final : public RingDriver {
 public:
  using RingDriver::RingDriver;

  PvirtqDesc& desc(uint16_t index) { return reinterpret_cast<PvirtqDesc*>(At(kDesc))[index]; }

  uint16_t Offer(const std::vector<Buffer>& buffers, bool indirect = false) override {
    const uint16_t id = next_id_++;
    const uint16_t head = next_;
    const uint16_t head_mark = Mark(wrap_);
    uint16_t head_flags = 0;
    std::vector<Buffer> slots = buffers;
    if (indirect) {
      const uint64_t table = kTables + head * 0x100u;
      for (size_t i = 0; i < buffers.size(); ++i) {
        reinterpret_cast<PvirtqDesc*>(At(table))[i] = {buffers[i].addr, buffers[i].len, 0,
                                                       static_cast<uint16_t>(buffers[i].write ? kVirtqDescFWrite : 0)};
      }
      slots = {{table, static_cast<uint32_t>(16 * buffers.size()), false}};
    }
    for (size_t i = 0; i < slots.size(); ++i) {
      const uint16_t flags =
          static_cast<uint16_t>((slots[i].write ? kVirtqDescFWrite : 0) |
                                (i + 1 == slots.size() ? 0 : kVirtqDescFNext) | (indirect ? kVirtqDescFIndirect : 0));
      PvirtqDesc& it = desc(next_);
      it.addr = slots[i].addr, it.len = slots[i].len, it.id = id;
      if (i == 0) {
        head_flags = static_cast<uint16_t>(flags | head_mark);
      } else {
        it.flags = static_cast<uint16_t>(flags | Mark(wrap_));
      }
      if (++next_ == size_) next_ = 0, wrap_ = !wrap_;
    }
    slots_[id] = static_cast<uint16_t>(slots.size());
    StoreRelease<uint16_t>(At(kDesc) + 16 * head + offsetof(PvirtqDesc, flags), head_flags);
    last_head_ = static_cast<uint16_t>(head | (head_mark == kPvirtqDescFAvail ? kPvirtqEventWrap : 0));
    return id;
  }
  std::vector<Used> TakeUsed() override {
    std::vector<Used> used;
    for (;;) {
      const uint16_t flags = LoadAcquire<uint16_t>(At(kDesc) + 16 * taken_ + offsetof(PvirtqDesc, flags));
      const bool avail = (flags & kPvirtqDescFAvail) != 0, is_used = (flags & kPvirtqDescFUsed) != 0;
      if (avail != taken_wrap_ || is_used != taken_wrap_) return used;
      used.push_back({desc(taken_).id, desc(taken_).len});
      taken_ = static_cast<uint16_t>(taken_ + slots_[desc(taken_).id]);
      if (taken_ >= size_) taken_ = static_cast<uint16_t>(taken_ - size_), taken_wrap_ = !taken_wrap_;
    }
  }
  bool DeviceWantsNotify(bool /*event_idx*/) override {
    const uint16_t flags = LoadAcquire<uint16_t>(At(kDevice) + kPvirtqEventFlags);
    if (flags == kPvirtqEventOneDesc) return LoadRelaxed<uint16_t>(At(kDevice)) == last_head_;
    return flags == kPvirtqEventEnable;
  }
  void WantNoInterrupt() override { StoreRelease<uint16_t>(At(kDriver) + kPvirtqEventFlags, kPvirtqEventDisable); }
  void WantInterruptAfter(uint16_t more) override {
    uint16_t at = static_cast<uint16_t>(taken_ + more);
    bool wrap = taken_wrap_;
    if (at >= size_) at = static_cast<uint16_t>(at - size_), wrap = !wrap;
    StoreRelaxed<uint16_t>(At(kDriver), static_cast<uint16_t>(at | (wrap ? kPvirtqEventWrap : 0)));
    StoreRelease<uint16_t>(At(kDriver) + kPvirtqEventFlags, kPvirtqEventOneDesc);
  }

 private:
  // Flags of an available descriptor.
  static uint16_t Mark(bool wrap) { return wrap ? kPvirtqDescFAvail : kPvirtqDescFUsed; }

  uint16_t next_ = 0, next_id_ = 0, taken_ = 0, last_head_ = 0;
  bool wrap_ = true, taken_wrap_ = true;
  std::vector<uint16_t> slots_ = std::vector<uint16_t>(65536);
};

inline std::unique_ptr<RingDriver> MakeRingDriver(bool packed, GuestMemory& memory, uint16_t size) {
  if (packed) return std::make_unique<PackedDriver>(memory, size);
  return std::make_unique<SplitDriver>(memory, size);
}

}  // namespace vmm

#endif  // DEVICES_VIRTIO_TESTING_RING_DRIVER_H_
