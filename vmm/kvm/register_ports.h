// Ports whose exits bring the vCPU's registers along, and take them back changed.
#ifndef VMM_KVM_REGISTER_PORTS_H_
#define VMM_KVM_REGISTER_PORTS_H_

#include <cstdint>

namespace vmm {

struct RegisterPorts {
  uint16_t first = 0;
  uint16_t count = 0;  // 0: none, and nothing is asked of KVM

  // KVM_CAP_SYNC_REGS: through the run page, at no further cost. Else by two ioctls an exit.
  bool by_run_page = false;

  bool Has(uint16_t port) const { return port >= first && port - first < count; }
};

}  // namespace vmm

#endif  // VMM_KVM_REGISTER_PORTS_H_
