#include "vmm/machine/machine.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/boot/acpi.h"
#include "vmm/boot/load_kernel.h"
#include "vmm/boot/smbios.h"
#include "vmm/kvm/kvm.h"
#include "vmm/machine/virtio_devices.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

// Draws a random UUID, RFC 4122 version 4.
absl::StatusOr<Uuid> DrawUuid() {
  Uuid uuid;
  if (!KernelRandom(uuid)) return absl::UnavailableError("getrandom gave no bytes for the machine's UUID");
  uuid[6] = (uuid[6] & 0x0f) | 0x40;
  uuid[8] = (uuid[8] & 0x3f) | 0x80;
  return uuid;
}

BackdoorConfig DescribeMachine(const VmConfig& config, const KvmVm& vm, const Uuid& uuid) {
  return {.tsc_hz = vm.tsc_hz(),
          .apic_bus_hz = kApicBusHz,
          .memory_mib = config.memory_bytes >> 20,
          .legacy_x2apic = true,  // KVM's local APICs take ids up to 255 without interrupt remapping
          .uuid = uuid,
          .tap = config.vmware.tap};
}

TestIrqLines::LineOf TestIrqLinesOf(const VmConfig& config, KvmVm& vm) {
  static_assert(TestIrqLines::kSize == KvmVm::kGsis);
  if (!config.test_device) return nullptr;
  return [&vm](int gsi) -> IrqLine& { return vm.irq_line(gsi); };
}

}  // namespace

absl::StatusOr<std::unique_ptr<Machine>> Machine::Create(const VmConfig& config, RunEvents& events,
                                                         Serial::Output console,
                                                         const std::function<void()>& begin_device_thread) {
  std::unique_ptr<Machine> machine(new Machine);

  ASSIGN_OR_RETURN(machine->memory_,
                   Annotate(GuestMemory::Create(RamRanges(config.memory_bytes)), "allocate the guest's RAM"));

  // Before KVM, so that a bad image is reported even on a host without KVM.
  ASSIGN_OR_RETURN(const PlacedKernel placed, PlaceKernel(config.boot, *machine->memory_));

  ASSIGN_OR_RETURN(Kvm kvm, Kvm::Open(config.kvm_path.c_str()));
  KvmVmConfig vm_config{.cpus = config.cpus, .features = config.cpu_features, .hypervisor_leaf = config.vmware.cpuid};
  if (config.vmware.port) {
    vm_config.register_ports = {.first = kBackdoorPort, .count = kBackdoorPorts, .by_run_page = true};
  }
  ASSIGN_OR_RETURN(machine->vm_, KvmVm::Create(kvm, vm_config, *machine->memory_));

  Uuid uuid = {};
  if (config.vmware.port || config.vmware.dmi) {
    ASSIGN_OR_RETURN(uuid, DrawUuid());
  }
  std::optional<BackdoorConfig> backdoor;
  if (config.vmware.port) backdoor = DescribeMachine(config, *machine->vm_, uuid);

  ASSIGN_OR_RETURN(machine->devices_, DeviceSet::Create({.memory = *machine->memory_,
                                                         .serial_irq = machine->vm_->irq_line(kSerialIrq),
                                                         .sci = machine->vm_->irq_line(kAcpiSci),
                                                         .events = events,
                                                         .console = std::move(console),
                                                         .backdoor = std::move(backdoor),
                                                         .ib700 = config.watchdog,
                                                         .cpus = config.cpus,
                                                         .test_irq_lines = TestIrqLinesOf(config, *machine->vm_)}));
  for (const auto& [key, value] : config.vmware.guestinfo) {
    RETURN_IF_ERROR(Annotate(machine->devices_->backdoor()->SetGuestInfo(key, value), "guestinfo"));
  }

  ASSIGN_OR_RETURN(std::vector<std::unique_ptr<VirtioDevice>> virtio,
                   MakeVirtioDevices(config.virtio, *machine->memory_, events, machine->processes_));
  ASSIGN_OR_RETURN(machine->virtio_,
                   VirtioSet::Create(std::move(virtio), *machine->vm_, *machine->memory_, begin_device_thread));
  RETURN_IF_ERROR(machine->virtio_->AddTo(machine->devices_->mmio()));

  BootConfig boot = config.boot;
  boot.cpu_has_la57 = machine->vm_->guest_has_la57();
  ASSIGN_OR_RETURN(boot.acpi_rsdp, Annotate(WriteAcpiTables(*machine->memory_, config.cpus, machine->virtio_->count()),
                                            "write ACPI tables"));
  if (config.vmware.dmi) RETURN_IF_ERROR(WriteVmwareSmbios(*machine->memory_, uuid));
  ASSIGN_OR_RETURN(machine->kernel_, EnterKernel(boot, placed, *machine->memory_));

  RETURN_IF_ERROR(
      Annotate(machine->vm_->vcpu(0).WriteState(machine->kernel_.entry), "set vCPU 0 to the kernel's entry point"));
  return machine;
}

std::vector<Vcpu*> Machine::vcpus() {
  std::vector<Vcpu*> vcpus;
  for (int id = 0; id < vm_->cpus(); ++id) vcpus.push_back(&vm_->vcpu(id));
  return vcpus;
}

}  // namespace vmm
