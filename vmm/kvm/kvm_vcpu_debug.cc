// The part of KvmVcpu that serves a debugger.
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/kvm/guest_debug_ioctl.h"
#include "vmm/kvm/kvm_ioctl.h"
#include "vmm/kvm/kvm_vcpu.h"
#include "vmm/kvm/msrs.h"
#include "vmm/kvm/registers.h"

namespace vmm {

// The special registers are set only if they change: setting them makes KVM rebuild the guest's paging.
absl::Status KvmVcpu::WriteRegisters(const CpuState& state) {
  kvm_regs regs;
  kvm_sregs before, sregs;
  RETURN_IF_ERROR(KvmIoctl(fd_.get(), KVM_GET_SREGS, &before, Named("KVM_GET_SREGS")).status());
  sregs = before;
  CopyToKvm(state, regs, sregs);
  if (std::memcmp(&before, &sregs, sizeof(sregs)) != 0) {
    RETURN_IF_ERROR(KvmIoctl(fd_.get(), KVM_SET_SREGS, &sregs, Named("KVM_SET_SREGS")).status());
  }
  RETURN_IF_ERROR(KvmIoctl(fd_.get(), KVM_SET_REGS, &regs, Named("KVM_SET_REGS")).status());
  return Annotate(WriteMsr(fd_.get(), kMsrKernelGsBase, state.kernel_gs_base), Named("write MSR"));
}

absl::StatusOr<FpuState> KvmVcpu::ReadFpu() {
  kvm_fpu fpu = {};
  RETURN_IF_ERROR(KvmIoctl(fd_.get(), KVM_GET_FPU, &fpu, Named("KVM_GET_FPU")).status());
  FpuState state{.control = fpu.fcw,
                 .status = fpu.fsw,
                 .tags = fpu.ftwx,
                 .opcode = fpu.last_opcode,
                 .instruction = fpu.last_ip,
                 .operand = fpu.last_dp,
                 .mxcsr = fpu.mxcsr};
  static_assert(sizeof(state.st) == sizeof(fpu.fpr) && sizeof(state.xmm) == sizeof(fpu.xmm));
  std::memcpy(&state.st, fpu.fpr, sizeof(fpu.fpr));
  std::memcpy(&state.xmm, fpu.xmm, sizeof(fpu.xmm));
  return state;
}

absl::Status KvmVcpu::WriteFpu(const FpuState& state) {
  kvm_fpu fpu = {};
  fpu.fcw = state.control, fpu.fsw = state.status, fpu.ftwx = state.tags, fpu.last_opcode = state.opcode;
  fpu.last_ip = state.instruction, fpu.last_dp = state.operand, fpu.mxcsr = state.mxcsr;
  std::memcpy(fpu.fpr, &state.st, sizeof(fpu.fpr));
  std::memcpy(fpu.xmm, &state.xmm, sizeof(fpu.xmm));
  return KvmIoctl(fd_.get(), KVM_SET_FPU, &fpu, Named("KVM_SET_FPU")).status();
}

absl::Status KvmVcpu::SetDebug(const GuestDebug& debug) {
  const kvm_guest_debug request = ToKvm(debug);
  return KvmIoctl(fd_.get(), KVM_SET_GUEST_DEBUG, &request, Named("KVM_SET_GUEST_DEBUG")).status();
}

}  // namespace vmm
