// The task that ran on each CPU, as the kernel itself records it.
#ifndef DUMP_KERNEL_CURRENT_TASK_H_
#define DUMP_KERNEL_CURRENT_TASK_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "dump/kernel/kernel_memory.h"
#include "dump/kernel/kernel_symbols.h"
#include "dump/kernel/struct_layout.h"

namespace vmm {

struct Task {
  uint64_t address = 0;        // of the task_struct
  std::optional<int32_t> pid;  // known only with BTF
  std::string comm;            // printable characters only

  friend bool operator==(const Task&, const Task&) = default;
};

// The address of Linux CPU `cpu`'s copy of the per-CPU variable `symbol`.
absl::StatusOr<uint64_t> PerCpuAddress(const KernelMemory& memory, const KernelSymbols& symbols, uint64_t symbol,
                                       int cpu);

// `current` of that CPU. NotFound if the symbols or the memory do not show it.
absl::StatusOr<Task> CurrentTask(const KernelMemory& memory, const KernelSymbols& symbols, const StructLayout& layout,
                                 int cpu);

}  // namespace vmm

#endif  // DUMP_KERNEL_CURRENT_TASK_H_
