#include "vmm/kvm/running_requests.h"

#include <linux/kvm.h>

#include "dump/nested/abi/nested_state_abi.h"

namespace vmm {
namespace {

// As in msrs.cc and nested_state_ioctl.cc: the structures of the kernel's header have flexible arrays, whose size in
// C++ is not theirs in C.
constexpr unsigned long kGetMsrs = _IOWR(KVMIO, 0x88, uint64_t);
constexpr unsigned long kSetMsrs = _IOW(KVMIO, 0x89, uint64_t);
constexpr unsigned long kGetNestedState = _IOWR(KVMIO, 0xbe, KvmNestedHeader);

}  // namespace

std::vector<uint32_t> VcpuThreadRequests() {
  return {KVM_RUN,          KVM_GET_REGS, KVM_SET_REGS,        KVM_GET_SREGS,    KVM_SET_SREGS,
          KVM_GET_MP_STATE, KVM_IRQ_LINE, KVM_GET_TSC_KHZ,     kGetMsrs,         kGetNestedState,
          KVM_IOEVENTFD,    KVM_IRQFD,    KVM_SET_GUEST_DEBUG, KVM_KVMCLOCK_CTRL};
}

std::vector<uint32_t> MainThreadRequests() {
  std::vector<uint32_t> requests = VcpuThreadRequests();
  requests.insert(requests.end(),
                  {KVM_SIGNAL_MSI, KVM_NMI, KVM_GET_LAPIC, KVM_GET_STATS_FD, kSetMsrs, KVM_GET_FPU, KVM_SET_FPU});
  return requests;
}

}  // namespace vmm
