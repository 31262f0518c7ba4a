#include "dump/kernel/find_kernel.h"

#include <span>
#include <vector>

#include "absl/strings/str_format.h"
#include "dump/kernel/kernel_stack.h"
#include "dump/nested/l1_state.h"
#include "dump/vmcoreinfo_scan.h"

namespace vmm {
namespace {

void AddReason(FoundKernel& found, std::string_view reason) {
  if (!found.why_not.empty()) found.why_not += "; ";
  found.why_not += reason;
}

void FindByVmcoreInfo(const VmSnapshot& snapshot, std::span<const CpuState> cpus, FoundKernel& found) {
  int rejected = 0;
  std::string last_reason;
  const absl::StatusOr<bool> done = ScanForVmcoreInfo(*snapshot.memory, [&](GuestAddr at, VmcoreInfo info) {
    absl::StatusOr<KernelMap> map = MapKernelByVmcoreInfo(*snapshot.memory, cpus, info);
    if (!map.ok()) {
      ++rejected;
      last_reason = absl::StrFormat("at %#x: %s", at.value, std::string(map.status().message()));
      return false;
    }
    found.map = *std::move(map);
    found.kernel_offset = info.KernelOffset();
    found.vmcoreinfo = std::move(info);
    return true;
  });
  if (found.vmcoreinfo.has_value()) return;
  if (!done.ok()) {
    AddReason(found, absl::StrFormat("the search for VMCOREINFO failed: %s", std::string(done.status().message())));
  } else if (rejected == 0) {
    AddReason(found, "no VMCOREINFO in guest RAM (the kernel writes it about a second into its boot)");
  } else {
    AddReason(found, absl::StrFormat("%d VMCOREINFO found, none stands up to its checks: %s", rejected, last_reason));
  }
}

}  // namespace

FoundKernel FindKernel(const VmSnapshot& snapshot) {
  FoundKernel found;
  const std::vector<CpuState> cpus = InL1(snapshot.cpus);
  FindByVmcoreInfo(snapshot, cpus, found);
  if (!found.map.has_value()) {
    absl::StatusOr<KernelMap> map = MapKernelByCr3(*snapshot.memory, cpus);
    if (map.ok()) {
      found.map = *std::move(map);
    } else {
      AddReason(found, std::string(map.status().message()));
    }
  }
  if (found.map.has_value()) {
    if (!found.kernel_offset.has_value()) found.kernel_offset = found.map->image.vaddr - kDefaultImageStart;
    found.stacks = FindKernelStacks(*snapshot.memory, *found.map, cpus);
    if (!found.map->page_offset.has_value()) AddReason(found, "the page tables have no direct map of RAM");
  }
  return found;
}

}  // namespace vmm
