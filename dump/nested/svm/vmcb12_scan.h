// Finds VMCBs in the RAM of a guest hypervisor. A VMCB has no revision and no signature. So a page is taken for one if
// VMRUN would not refuse it, and if the bytes that must be zero between its fields are zero. Unlike a VMCS, its page is
// up to date after every #VMEXIT. While L2 runs, it holds L2's state at VMRUN.
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

// Empty if `vmcb` may well be the VMCB of a guest that has run or may run, else the first objection. A page of
// pointers, counters or text does not pass.
std::string DoubtOfVmcb12(const Vmcb12& vmcb);

// Calls `visit` for each page of `memory` without such a doubt, in ascending order, until `visit` returns false.
// Touches no untouched memory.
absl::Status ScanForVmcb12(const PhysicalMemory& memory, const std::function<bool(const FoundVmcb&)>& visit);

}  // namespace vmm

#endif  // DUMP_NESTED_SVM_VMCB12_SCAN_H_
