// The requests that this program makes of KVM after its guest has started, for a system call filter.
#ifndef VMM_KVM_RUNNING_REQUESTS_H_
#define VMM_KVM_RUNNING_REQUESTS_H_

#include <cstdint>
#include <vector>

namespace vmm {

// Request numbers of ioctl(2), as the kernel sees them: 32 bits.
//
// A vCPU's thread runs its vCPU, reads and writes its registers, and moves interrupt lines.
std::vector<uint32_t> VcpuThreadRequests();

// The thread that stops the guest: those of a vCPU's thread, NMIs and statistics.
std::vector<uint32_t> MainThreadRequests();

}  // namespace vmm

#endif  // VMM_KVM_RUNNING_REQUESTS_H_
