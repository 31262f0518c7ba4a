// Ports whose exits carry the vCPU's registers. The handler may change them for the guest.
#ifndef VMM_KVM_REGISTER_PORTS_H_
#define VMM_KVM_REGISTER_PORTS_H_

#include <cstdint>

namespace vmm {

struct RegisterPorts {
  uint16_t first = 0;
  uint16_t count = 0;  // 0: no ports, and KVM is asked for no registers

  // True: registers go through the run page (KVM_CAP_SYNC_REGS), at no further cost. False: they take two ioctls per
  // exit.
  bool by_run_page = false;

  bool Has(uint16_t port) const { return port >= first && port - first < count; }
};

}  // namespace vmm

#endif  // VMM_KVM_REGISTER_PORTS_H_
