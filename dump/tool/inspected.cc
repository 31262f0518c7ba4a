#include "dump/tool/inspected.h"

#include "base/status.h"
#include "dump/read/kernel_of.h"
#include "dump/tool/found_xen.h"

namespace vmm {

absl::StatusOr<Inspected> Inspect(const Vmcore& core) {
  Inspected seen;
  seen.core = &core;
  seen.ram = core.memory().Ranges();
  for (const GuestRange& range : seen.ram) seen.ram_bytes += range.size;
  ASSIGN_OR_RETURN(const std::vector<GuestRange> data, core.memory().DataExtents());
  for (const GuestRange& extent : data) seen.data_bytes += extent.size;
  seen.data_runs = data.size();
  absl::StatusOr<std::optional<XenMachine>> xen = XenOf(core);
  if (xen.ok()) {
    seen.xen = *std::move(xen);
  } else {
    seen.no_xen = std::string(xen.status().message());
  }
  if (seen.xen.has_value()) {
    seen.kernel.why_not = "this is a Xen machine; `vmcore guest` shows the kernels of its domains";
  } else {
    seen.kernel = KernelOf(core);
  }
  return seen;
}

}  // namespace vmm
