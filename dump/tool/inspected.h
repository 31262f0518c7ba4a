// The facts that `vmcore info` reports about a dump, before they become text.
#ifndef DUMP_TOOL_INSPECTED_H_
#define DUMP_TOOL_INSPECTED_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/kernel/find_kernel.h"
#include "dump/read/vmcore.h"
#include "dump/xen/xen_machine.h"

namespace vmm {

struct Inspected {
  const Vmcore* core = nullptr;
  FoundKernel kernel;
  std::optional<XenMachine> xen;  // the dump is of a Xen machine; then `kernel` is empty
  std::string no_xen;             // why the search for Xen failed; empty: it did not
  std::vector<GuestRange> ram;
  uint64_t ram_bytes = 0;
  uint64_t data_bytes = 0;  // RAM outside holes
  size_t data_runs = 0;
};

// `core` must outlive the result. Fails if the file cannot be searched for holes.
absl::StatusOr<Inspected> Inspect(const Vmcore& core);

}  // namespace vmm

#endif  // DUMP_TOOL_INSPECTED_H_
