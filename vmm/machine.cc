#include "vmm/machine.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/boot/acpi.h"
#include "vmm/boot/load_kernel.h"
#include "vmm/kvm/kvm.h"
#include "vmm/memory_map.h"

namespace vmm {

absl::StatusOr<std::unique_ptr<Machine>> Machine::Create(const VmConfig& config, RunEvents& events,
                                                         Serial::Output console) {
  std::unique_ptr<Machine> machine(new Machine);

  ASSIGN_OR_RETURN(machine->memory_,
                   Annotate(GuestMemory::Create(RamRanges(config.memory_bytes)), "allocate the guest's RAM"));

  ASSIGN_OR_RETURN(Kvm kvm, Kvm::Open());
  ASSIGN_OR_RETURN(machine->vm_,
                   KvmVm::Create(kvm, {.cpus = config.cpus, .features = config.cpu_features}, *machine->memory_));

  ASSIGN_OR_RETURN(machine->devices_, DeviceSet::Create({.serial_irq = machine->vm_->irq_line(kSerialIrq),
                                                         .sci = machine->vm_->irq_line(kAcpiSci),
                                                         .events = events,
                                                         .console = std::move(console)}));

  BootConfig boot = config.boot;
  boot.cpu_has_la57 = machine->vm_->guest_has_la57();
  ASSIGN_OR_RETURN(boot.acpi_rsdp, Annotate(WriteAcpiTables(*machine->memory_, config.cpus), "write ACPI tables"));
  ASSIGN_OR_RETURN(machine->kernel_, LoadKernel(boot, *machine->memory_));

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
