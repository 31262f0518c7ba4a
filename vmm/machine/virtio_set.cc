#include "vmm/machine/virtio_set.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/status.h"
#include "devices/virtio/abi/virtio_mmio_abi.h"
#include "devices/virtio/event_wiring.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

static_assert(kVirtioRegisters == VirtioMmio::kSize);

GuestAddr PlaceOf(size_t n) { return GuestAddr{kVirtioBase.value + n * kVirtioStride}; }

}  // namespace

class VirtioSet::Wiring final : public EventWiring {
 public:
  Wiring(KvmVm& vm, size_t n) : vm_(vm), place_(PlaceOf(n)), gsi_(kVirtioGsis[n]) {}

  bool ConnectNotify(int queue, int eventfd) override {
    return vm_.SignalOnWrite(GuestAddr{place_.value + kVirtioMmioQueueNotify}, static_cast<uint32_t>(queue), eventfd);
  }
  bool ConnectInterrupt(int eventfd) override { return vm_.InterruptOnSignal(eventfd, gsi_); }
  void Interrupt() override {
    const std::lock_guard lock(mutex_);  // so that two edges do not become one
    vm_.irq_line(gsi_).Set(true);
    vm_.irq_line(gsi_).Set(false);
  }

 private:
  KvmVm& vm_;
  const GuestAddr place_;
  const int gsi_;
  std::mutex mutex_;
};

VirtioSet::~VirtioSet() = default;

absl::StatusOr<std::unique_ptr<VirtioSet>> VirtioSet::Create(std::vector<std::unique_ptr<VirtioDevice>> devices,
                                                             KvmVm& vm, GuestMemory& memory,
                                                             const std::function<void()>& begin) {
  if (devices.size() > kMaxVirtioDevices) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("%d virtio devices; the machine has interrupts for %d", devices.size(), kMaxVirtioDevices));
  }
  std::unique_ptr<VirtioSet> set(new VirtioSet);
  for (std::unique_ptr<VirtioDevice>& device : devices) {
    Slot& slot = set->slots_.emplace_back();
    slot.device = std::move(device);
    slot.wiring = std::make_unique<Wiring>(vm, set->slots_.size() - 1);
    ASSIGN_OR_RETURN(slot.mmio, VirtioMmio::Create(*slot.device, memory, *slot.wiring, begin));
  }
  return set;
}

absl::Status VirtioSet::AddTo(Bus& mmio) {
  for (size_t n = 0; n < slots_.size(); ++n) {
    RETURN_IF_ERROR(mmio.Add(PlaceOf(n).value, VirtioMmio::kSize, slots_[n].mmio.get()));
  }
  return absl::OkStatus();
}

std::vector<std::string> VirtioSet::Pause(absl::Duration patience, bool leftovers) {
  const absl::Time end = absl::Now() + patience;
  std::vector<std::string> busy;
  for (Slot& slot : slots_) {
    const absl::Duration left = std::max(end - absl::Now(), absl::Milliseconds(1));
    if (!slot.mmio->Pause(left, leftovers)) busy.emplace_back(slot.device->name());
  }
  return busy;
}

void VirtioSet::Resume() {
  for (Slot& slot : slots_) slot.mmio->Resume();
}

std::string_view VirtioSet::NameOfExternal() const {
  for (const Slot& slot : slots_) {
    if (slot.device->is_external()) return slot.device->name();
  }
  return "";
}

std::vector<VirtioMmio::Report> VirtioSet::Describe() const {
  std::vector<VirtioMmio::Report> reports;
  for (const Slot& slot : slots_) reports.push_back(slot.mmio->Describe());
  return reports;
}

}  // namespace vmm
