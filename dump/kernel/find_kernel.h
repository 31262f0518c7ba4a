// The guest's kernel, as far as it can be found in a snapshot.
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

// Which way led to VMCOREINFO, in the order in which they are tried.
enum class VmcoreInfoSource {
  kGiven,  // by the user
  kGuest,  // the guest told where it is, by fw_cfg
  kScan,   // it was found in RAM
};

// "given", "guest", "scan".
std::string_view VmcoreInfoSourceName(VmcoreInfoSource source);

struct FoundKernel {
  // None where none was found that stands up to its checks.
  std::optional<VmcoreInfo> vmcoreinfo;
  VmcoreInfoSource source = VmcoreInfoSource::kScan;  // of that one

  // None where no page tables could be trusted.
  std::optional<KernelMap> map;
  std::vector<VirtualSegment> stacks;

  // By how much KASLR moved the image: VMCOREINFO's word, or else the distance of its first mapped
  // page from kDefaultImageStart.
  std::optional<uint64_t> kernel_offset;

  // Why vmcoreinfo, map or the map's page_offset is missing; empty where nothing is.
  std::string why_not;

  // Why the VMCOREINFO that the user or the guest named was passed over; empty where it was not.
  std::string passed_over;
};

// A vCPU that was stopped in the guest's own guest (L2) is looked at as the guest left it.
// Never fails: a guest in which nothing can be found is dumped all the same.
FoundKernel FindKernel(const VmSnapshot& snapshot);

// The same without a search of RAM, so in a time that does not grow with it.
FoundKernel FindKernelWithoutSearch(const VmSnapshot& snapshot);

}  // namespace vmm

#endif  // DUMP_KERNEL_FIND_KERNEL_H_
