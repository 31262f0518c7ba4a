// One interrupt line of the in-kernel irqchip.
#ifndef VMM_KVM_KVM_IRQ_LINE_H_
#define VMM_KVM_KVM_IRQ_LINE_H_

#include <mutex>

#include "devices/irq_line.h"

namespace vmm {

class KvmIrqLine final : public IrqLine {
 public:
  // `vm_fd` is borrowed. 0 <= gsi < 24.
  KvmIrqLine(int vm_fd, int gsi) : vm_fd_(vm_fd), gsi_(gsi) {}

  // Calls KVM_IRQ_LINE if the level changes. Calls from several threads take effect in their order.
  void Set(bool level) override;

 private:
  const int vm_fd_;
  const int gsi_;
  std::mutex mutex_;
  bool level_ = false;  // guarded by mutex_
};

}  // namespace vmm

#endif  // VMM_KVM_KVM_IRQ_LINE_H_
