// Recovers the registers of a guest (L1) from a vCPU that was stopped while L1's own guest (L2) ran.
#ifndef DUMP_NESTED_L1_STATE_H_
#define DUMP_NESTED_L1_STATE_H_

#include <optional>
#include <span>
#include <vector>

#include "dump/snapshot/cpu_state.h"

namespace vmm {

// The registers that L1 will have at its next VM exit: instruction and stack pointer, control registers, EFER,
// segments. On VMX they come from vmcs12's host state, on SVM from KVM's copy of L1's state. The general registers are
// zeros, except RAX on SVM, because nobody keeps them. nullopt if L2 did not run.
std::optional<CpuState> L1State(const CpuState& cpu);

// Returns `cpus` as L1 left them: replaces each one on which L2 ran by its L1State(). Use this before looking at page
// tables and stacks for L1's own kernel, because those must not be L2's.
std::vector<CpuState> InL1(std::span<const CpuState> cpus);

}  // namespace vmm

#endif  // DUMP_NESTED_L1_STATE_H_
