// The guest's kernel, as far as it can be found in a snapshot.
#ifndef DUMP_KERNEL_FIND_KERNEL_H_
#define DUMP_KERNEL_FIND_KERNEL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dump/kernel/kernel_map.h"
#include "dump/vm_snapshot.h"
#include "dump/vmcoreinfo.h"

namespace vmm {

struct FoundKernel {
  // None where none was found that stands up to its checks.
  std::optional<VmcoreInfo> vmcoreinfo;

  // None where no page tables could be trusted.
  std::optional<KernelMap> map;
  std::vector<VirtualSegment> stacks;

  // By how much KASLR moved the image: VMCOREINFO's word, or else the distance of its first mapped
  // page from kDefaultImageStart.
  std::optional<uint64_t> kernel_offset;

  // Why vmcoreinfo, map or the map's page_offset is missing; empty where nothing is.
  std::string why_not;
};

// A vCPU that was stopped in the guest's own guest (L2) is looked at as the guest left it.
// Never fails: a guest in which nothing can be found is dumped all the same.
FoundKernel FindKernel(const VmSnapshot& snapshot);

}  // namespace vmm

#endif  // DUMP_KERNEL_FIND_KERNEL_H_
