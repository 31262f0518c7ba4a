// All that `vmcore info` tells about a dump, before it is put into words.
#ifndef DUMP_TOOL_INSPECTED_H_
#define DUMP_TOOL_INSPECTED_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/kernel/find_kernel.h"
#include "dump/read/vmcore.h"

namespace vmm {

struct Inspected {
  const Vmcore* core = nullptr;
  FoundKernel kernel;
  std::vector<GuestRange> ram;
  uint64_t ram_bytes = 0;
  uint64_t data_bytes = 0;  // what of it is no hole
  size_t data_runs = 0;
};

// `core` must outlive the result. Fails where the file cannot be searched for holes.
absl::StatusOr<Inspected> Inspect(const Vmcore& core);

}  // namespace vmm

#endif  // DUMP_TOOL_INSPECTED_H_
