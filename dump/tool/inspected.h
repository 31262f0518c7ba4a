// All that `vmcore info` tells about a dump, before it is put into words.
#ifndef DUMP_TOOL_INSPECTED_H_
#define DUMP_TOOL_INSPECTED_H_

#include <cstdint>
#include <string>
#include <utility>
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

// Each 64-bit register of `cpu` with its name, in the order in which people read them. Of a CPU that is a hypervisor
// also "vmxon" and "vmptr", its current VMCS (all ones: none), or on SVM, where its guest runs, "vmcb".
std::vector<std::pair<std::string, uint64_t>> RegistersOf(const CpuState& cpu);

// The same for segments and descriptor tables; of the latter only base and limit count.
std::vector<std::pair<std::string, SegmentState>> SegmentsOf(const CpuState& cpu);

// How the CPU was running: "kernel", "user", "not started", "real mode".
std::string ModeOf(const CpuState& cpu);

}  // namespace vmm

#endif  // DUMP_TOOL_INSPECTED_H_
