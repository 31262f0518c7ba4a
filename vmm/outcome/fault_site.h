// Where a vCPU stood that cannot go on, and what of its registers explains why: a triple fault, or an instruction that
// KVM could not run.
#ifndef VMM_OUTCOME_FAULT_SITE_H_
#define VMM_OUTCOME_FAULT_SITE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/physical_memory.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

struct FaultSite {
  int vcpu = 0;
  CpuState cpu;
  std::vector<uint8_t> instruction;  // the bytes at RIP, up to 15, by the guest's own page tables; empty: not to be had
  std::string place;                 // "function+0x12/0x34", where the kernel's symbols are known; else empty

  // The registers are those of a reset processor: the host's KVM has put them there before it told of the shutdown, as
  // kvm_amd does, and what they were is lost. Nothing else here says anything then.
  bool registers_lost = false;

  // A sentence for each thing that is wrong with them.
  std::vector<std::string> reasons;
};

// True for the registers of a reset processor. A guest that truly stands there has not run yet.
bool IsAtReset(const CpuState& cpu);

// Never fails: what cannot be read is missing. REQUIRES: no vCPU runs.
FaultSite DescribeFault(int vcpu, const CpuState& cpu, const PhysicalMemory& memory);

// The lines of it on stderr.
void TellFault(const FaultSite& site);

}  // namespace vmm

#endif  // VMM_OUTCOME_FAULT_SITE_H_
