#include "vmm/kvm/kvm_irq_line.h"

#include <linux/kvm.h>

#include "vmm/kvm/kvm_ioctl.h"

namespace vmm {

void KvmIrqLine::Set(bool level) {
  const std::lock_guard lock(mutex_);
  if (level == level_) return;
  kvm_irq_level line{.irq = static_cast<uint32_t>(gsi_), .level = level};
  // It fails only if the machine has no irqchip or no such line, and this one has both.
  if (KvmIoctl(vm_fd_, KVM_IRQ_LINE, &line, "KVM_IRQ_LINE").ok()) level_ = level;
}

}  // namespace vmm
