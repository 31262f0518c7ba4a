// The machine's virtio devices, each with its registers on the bus and its interrupt.
#ifndef VMM_MACHINE_VIRTIO_SET_H_
#define VMM_MACHINE_VIRTIO_SET_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/guest_memory.h"
#include "devices/bus.h"
#include "devices/virtio/virtio_device.h"
#include "devices/virtio/virtio_mmio.h"
#include "vmm/kvm/kvm_vm.h"

namespace vmm {

// Device n has place n of vmm/platform/memory_map.h. Built, paused and destroyed by the run's thread; vCPUs reach the
// devices through the bus.
class VirtioSet {
 public:
  // ResourceExhausted for more than kMaxVirtioDevices. `vm` and `memory` must outlive the set. `begin` runs
  // on each device's thread before all else.
  static absl::StatusOr<std::unique_ptr<VirtioSet>> Create(std::vector<std::unique_ptr<VirtioDevice>> devices,
                                                           KvmVm& vm, GuestMemory& memory,
                                                           const std::function<void()>& begin);
  ~VirtioSet();

  VirtioSet(const VirtioSet&) = delete;
  VirtioSet& operator=(const VirtioSet&) = delete;

  absl::Status AddTo(Bus& mmio);
  int count() const { return static_cast<int>(slots_.size()); }

  // Brings all devices to rest: afterwards none of them touches guest RAM. REQUIRES: no vCPU runs. Returns the names of
  // those that are still busy after `patience`, which is for all together. `leftovers`: the vCPUs have stopped for
  // good, and each device first takes what the guest left for it.
  std::vector<std::string> Pause(absl::Duration patience, bool leftovers);
  void Resume();

  // The name of a device for which another process maps the guest's RAM. Empty: there is none.
  std::string_view NameOfExternal() const;

  std::vector<VirtioMmio::Report> Describe() const;

 private:
  class Wiring;
  struct Slot {
    std::unique_ptr<VirtioDevice> device;
    std::unique_ptr<Wiring> wiring;
    std::unique_ptr<VirtioMmio> mmio;  // last: its thread uses the others
  };

  VirtioSet() = default;

  std::vector<Slot> slots_;
};

}  // namespace vmm

#endif  // VMM_MACHINE_VIRTIO_SET_H_
