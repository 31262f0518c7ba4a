// One virtual machine, complete and ready to run: RAM, devices, firmware tables, the loaded kernel, vCPUs.
// Machine::Create is its parts list.
#ifndef VMM_MACHINE_MACHINE_H_
#define VMM_MACHINE_MACHINE_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "base/guest_memory.h"
#include "vmm/backend/back_end_process.h"
#include "vmm/config/vm_config.h"
#include "vmm/kvm/kvm_vm.h"
#include "vmm/machine/device_set.h"
#include "vmm/machine/virtio_set.h"
#include "vmm/vcpu/run_events.h"

namespace vmm {

// Built and destroyed by one thread. `events` and whatever `console` writes to must outlive it. `begin_device_thread`
// runs on the thread of each virtio device before the device's driver starts it.
class Machine {
 public:
  static absl::StatusOr<std::unique_ptr<Machine>> Create(
      const VmConfig& config, RunEvents& events, Serial::Output console,
      const std::function<void()>& begin_device_thread = [] {});

  GuestMemory& memory() { return *memory_; }
  DeviceSet& devices() { return *devices_; }
  VirtioSet& virtio() { return *virtio_; }
  const LoadedKernel& kernel() const { return kernel_; }

  // See KvmVm.
  absl::Status InjectNmi(int vcpu) { return vm_->InjectNmi(vcpu); }
  KvmStatistics ReadStatistics() const { return vm_->ReadStatistics(); }

  // All vCPUs, in the guest's CPU order. vCPU 0 is at the kernel's entry point.
  std::vector<Vcpu*> vcpus();

 private:
  Machine() = default;

  // In order of construction; destroyed in reverse order.
  std::unique_ptr<GuestMemory> memory_;
  std::unique_ptr<KvmVm> vm_;
  std::unique_ptr<DeviceSet> devices_;
  std::vector<std::unique_ptr<BackEndProcess>> processes_;
  std::unique_ptr<VirtioSet> virtio_;
  LoadedKernel kernel_;
};

}  // namespace vmm

#endif  // VMM_MACHINE_MACHINE_H_
