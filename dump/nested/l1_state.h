// A vCPU that was stopped while its guest's guest (L2) ran, as its guest (L1) left it.
#ifndef DUMP_NESTED_L1_STATE_H_
#define DUMP_NESTED_L1_STATE_H_

#include <optional>
#include <span>
#include <vector>

#include "dump/snapshot/cpu_state.h"

namespace vmm {

// The registers that L1 will have at its next VM exit: instruction and stack pointer, control
// registers, EFER, segments. On VMX from vmcs12's host state, on SVM from what KVM keeps of L1. The
// general registers are zeros, but for SVM's RAX: nobody keeps them. Nothing where L2 did not run.
std::optional<CpuState> L1State(const CpuState& cpu);

// All of them as L1 left them: those on which L2 ran are replaced. Whose page tables and stacks are looked at for
// L1's own kernel must not be L2's.
std::vector<CpuState> InL1(std::span<const CpuState> cpus);

}  // namespace vmm

#endif  // DUMP_NESTED_L1_STATE_H_
