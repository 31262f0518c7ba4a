// Finds the guest's kernel in a snapshot, as far as that is possible.
#ifndef DUMP_KERNEL_FIND_KERNEL_H_
#define DUMP_KERNEL_FIND_KERNEL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dump/kernel/kernel_map.h"
#include "dump/snapshot/vm_snapshot.h"
#include "dump/snapshot/vmcoreinfo.h"

namespace vmm {

// The source of VMCOREINFO. The sources are tried in this order.
enum class VmcoreInfoSource {
  kGiven,  // by the user
  kGuest,  // by the address that the guest gave through fw_cfg
  kScan,   // by a search of RAM
};

// "given", "guest", "scan".
std::string_view VmcoreInfoSourceName(VmcoreInfoSource source);

struct FoundKernel {
  // None if no VMCOREINFO passes its checks.
  std::optional<VmcoreInfo> vmcoreinfo;
  VmcoreInfoSource source = VmcoreInfoSource::kScan;  // of `vmcoreinfo`

  // None if no page tables could be trusted.
  std::optional<KernelMap> map;
  std::vector<VirtualSegment> stacks;

  // The distance by which KASLR moved the image, in bytes: from VMCOREINFO, or else the distance of the image's first
  // mapped page from kDefaultImageStart.
  std::optional<uint64_t> kernel_offset;

  // Why vmcoreinfo, map or the map's page_offset is missing. Empty: nothing is missing.
  std::string why_not;

  // Why the VMCOREINFO that the user or the guest named was passed over. Empty: it was not.
  std::string passed_over;
};

// If a vCPU was stopped in the guest's own guest (L2), its state in the guest itself (L1) counts. Never fails: a guest
// in which nothing can be found is dumped all the same.
FoundKernel FindKernel(const VmSnapshot& snapshot);

// The same without a search of RAM, so its time does not grow with the size of RAM.
FoundKernel FindKernelWithoutSearch(const VmSnapshot& snapshot);

}  // namespace vmm

#endif  // DUMP_KERNEL_FIND_KERNEL_H_
