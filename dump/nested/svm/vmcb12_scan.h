// Finding VMCBs in the RAM of a guest hypervisor. A VMCB has no revision and no mark of its own, so it is
// known by what a VMRUN would not refuse, and by the zeros that must be between its fields. Unlike a
// VMCS its page is true after every #VMEXIT; while L2 runs it holds L2 as it was at VMRUN.
#ifndef DUMP_NESTED_SVM_VMCB12_SCAN_H_
#define DUMP_NESTED_SVM_VMCB12_SCAN_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "base/guest_addr.h"
#include "base/physical_memory.h"
#include "dump/nested/abi/vmcb12.h"

namespace vmm {

struct FoundVmcb {
  GuestAddr at;
  Vmcb12 vmcb;
};

// Empty where `vmcb` may well be the VMCB of a guest that has run or may run, else the first thing that
// speaks against it. A page of pointers, counters or text does not get through.
std::string DoubtOfVmcb12(const Vmcb12& vmcb);

// Calls `visit` for each page of `memory` of which there is no such doubt, ascending, until it returns
// false. Touches no untouched memory.
absl::Status ScanForVmcb12(const PhysicalMemory& memory, const std::function<bool(const FoundVmcb&)>& visit);

}  // namespace vmm

#endif  // DUMP_NESTED_SVM_VMCB12_SCAN_H_
