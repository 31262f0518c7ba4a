// Finding VMCSs in the RAM of a guest hypervisor: those that are not current in any vCPU, whose pages
// are therefore true. (The page of a current one is stale; take it from the nested state.)
#ifndef DUMP_NESTED_VMX_VMCS12_SCAN_H_
#define DUMP_NESTED_VMX_VMCS12_SCAN_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "base/guest_addr.h"
#include "base/physical_memory.h"
#include "dump/nested/vmx/vmcs_region.h"

namespace vmm {

struct FoundVmcs {
  enum class Kind {
    kVmcs12,  // was entered, or could be
    kShadow,  // marked as a shadow VMCS: part of another
    kEmpty,   // the revision and zeros: a VMXON region, or a VMCS before its first VMWRITE
    kOther,   // KVM's revision, but not what KVM has there: see `doubt`
  };
  GuestAddr at;
  Kind kind = Kind::kOther;
  std::string doubt;  // kOther: the first check that failed
  VmcsRegion region;
};

// What `region` is by its content: the revision alone would take any page that begins with that word,
// and layouts of before Linux 4.18, for a vmcs12.
FoundVmcs ClassifyVmcs(GuestAddr at, const VmcsRegion& region);

// Calls `visit` for each page of `memory` that begins with KVM's revision, ascending, until it returns
// false. Touches no untouched memory.
absl::Status ScanForVmcs12(const PhysicalMemory& memory, const std::function<bool(const FoundVmcs&)>& visit);

}  // namespace vmm

#endif  // DUMP_NESTED_VMX_VMCS12_SCAN_H_
