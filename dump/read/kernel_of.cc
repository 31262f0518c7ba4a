#include "dump/read/kernel_of.h"

#include "dump/kernel/kernel_stack.h"

namespace vmm {

FoundKernel KernelOf(const Vmcore& core) {
  if (core.vmcoreinfo().has_value()) {
    absl::StatusOr<KernelMap> map = MapKernelByVmcoreInfo(core.memory(), core.cpus(), *core.vmcoreinfo());
    if (map.ok()) {
      FoundKernel found;
      found.vmcoreinfo = core.vmcoreinfo();
      found.kernel_offset = core.vmcoreinfo()->KernelOffset();
      found.stacks = FindKernelStacks(core.memory(), *map, core.cpus());
      if (!map->page_offset.has_value()) found.why_not = "the page tables have no direct map of RAM";
      found.map = *std::move(map);
      return found;
    }
  }
  VmSnapshot snapshot;
  snapshot.cpus = core.cpus();
  snapshot.memory = &core.memory();
  return FindKernel(snapshot);
}

}  // namespace vmm
