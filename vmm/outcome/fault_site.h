// The place where a vCPU could not go on, and the registers that explain why: a triple fault, or an instruction that
// KVM could not run.
#ifndef VMM_OUTCOME_FAULT_SITE_H_
#define VMM_OUTCOME_FAULT_SITE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/panic_event.h"
#include "base/physical_memory.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

struct FaultSite {
  int vcpu = 0;
  CpuState cpu;
  std::vector<uint8_t> instruction;  // up to 15 bytes at RIP, through the guest's page tables; empty: unreadable
  std::string place;                 // "function+0x12/0x34" if the kernel's symbols are known; else empty

  // True if KVM reset the vCPU before it reported the shutdown (kvm_amd does): the registers at the fault are lost, and
  // no other field here means anything.
  bool registers_lost = false;

  // One sentence for each thing that is wrong with the registers.
  std::vector<std::string> reasons;
};

// True if `source` means that the vCPU stopped by itself, without a kernel that said why.
inline bool CouldNotGoOn(PanicSource source) { return !LeavesVcpuRunning(source) && source != PanicSource::kTrap; }

// True for the registers of a reset processor. A guest that really stands there has not run yet.
bool IsAtReset(const CpuState& cpu);

// Never fails: unreadable parts are left out. REQUIRES: no vCPU runs.
FaultSite DescribeFault(int vcpu, const CpuState& cpu, const PhysicalMemory& memory);

// Prints it on stderr, in lines.
void TellFault(const FaultSite& site);

}  // namespace vmm

#endif  // VMM_OUTCOME_FAULT_SITE_H_
