// Decodes kvm_run into a VcpuExit; no other code does. Pure: a test passes a page of its own.
#ifndef VMM_KVM_DECODE_EXIT_H_
#define VMM_KVM_DECODE_EXIT_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "vmm/vcpu/vcpu_exit.h"

namespace vmm {

// Decodes the exit that KVM_RUN left in `run_page`, which is the whole mapping of a vCPU and begins with struct
// kvm_run. The spans in the result point into it. If the exit's own fields do not fit the page, the result is an
// UnhandledExit.
// REQUIRES: run_page.size() >= sizeof(struct kvm_run), aligned to 8.
VcpuExit DecodeExit(std::span<uint8_t> run_page);

}  // namespace vmm

#endif  // VMM_KVM_DECODE_EXIT_H_
