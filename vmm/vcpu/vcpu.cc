#include "vmm/vcpu/vcpu.h"

namespace vmm {
namespace {

absl::Status NoDebugger() { return absl::UnimplementedError("this vCPU cannot be debugged"); }

}  // namespace

absl::Status Vcpu::WriteRegisters(const CpuState&) { return NoDebugger(); }
absl::StatusOr<FpuState> Vcpu::ReadFpu() { return NoDebugger(); }
absl::Status Vcpu::WriteFpu(const FpuState&) { return NoDebugger(); }
absl::Status Vcpu::SetDebug(const GuestDebug&) { return NoDebugger(); }

}  // namespace vmm
