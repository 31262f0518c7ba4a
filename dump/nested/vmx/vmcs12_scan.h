// Finds VMCSs in the RAM of a guest hypervisor: those that are not current in any vCPU. Their pages are up to date.
// (The page of a current one is stale; take that one from the nested state.)
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
    kOther,   // KVM's revision, but not KVM's contents: see `doubt`
  };
  GuestAddr at;
  Kind kind = Kind::kOther;
  std::string doubt;  // kOther: the first check that failed
  VmcsRegion region;
};

// Classifies `region` by its contents. The revision is not enough: it would accept any page that begins with that word,
// and layouts from before Linux 4.18.
FoundVmcs ClassifyVmcs(GuestAddr at, const VmcsRegion& region);

// Calls `visit` for each page of `memory` that begins with KVM's revision, in ascending order, until `visit` returns
// false. Touches no untouched memory.
absl::Status ScanForVmcs12(const PhysicalMemory& memory, const std::function<bool(const FoundVmcs&)>& visit);

}  // namespace vmm

#endif  // DUMP_NESTED_VMX_VMCS12_SCAN_H_
