#include "dump/kernel/current_task.h"

#include "absl/strings/str_format.h"
#include "base/budget.h"
#include "base/printable.h"

namespace vmm {
namespace {

constexpr int kMaxCpus = kCpusBudget.steps;
constexpr size_t kCommLength = 16;    // TASK_COMM_LEN
constexpr uint64_t kMaxTask = 16384;  // a task_struct has 7 to 10 KiB
constexpr std::string_view kIdle = "swapper";

// The offset of `comm`: from BTF, else by a search of the first CPU's idle task for its well-known name.
std::optional<uint64_t> CommOffset(const KernelMemory& memory, const KernelSymbols& symbols,
                                   const StructLayout& layout) {
  if (const auto offset = layout.Offset("task_struct.comm"); offset) return offset;
  const auto init_task = symbols.Find("init_task");
  if (!init_task) return std::nullopt;
  const auto bytes = memory.ReadBytes(*init_task, kMaxTask);
  if (!bytes.ok()) return std::nullopt;
  const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  const size_t at = text.find(kIdle);
  return at == std::string_view::npos ? std::nullopt : std::optional<uint64_t>(at);
}

}  // namespace

absl::StatusOr<uint64_t> PerCpuAddress(const KernelMemory& memory, const KernelSymbols& symbols, uint64_t symbol,
                                       int cpu) {
  if (cpu < 0 || cpu >= kMaxCpus) return absl::NotFoundError(absl::StrFormat("no CPU %d", cpu));
  const auto offsets = symbols.Find("__per_cpu_offset");
  if (!offsets)
    return cpu == 0 ? absl::StatusOr<uint64_t>(symbol)  // a kernel without CONFIG_SMP has one copy of each variable
                    : absl::NotFoundError("no symbol __per_cpu_offset");
  ASSIGN_OR_RETURN(const uint64_t base, memory.ReadObject<uint64_t>(*offsets + 8 * static_cast<uint64_t>(cpu)));
  return base + symbol;
}

absl::StatusOr<Task> CurrentTask(const KernelMemory& memory, const KernelSymbols& symbols, const StructLayout& layout,
                                 int cpu) {
  // First of all: a file may have tens of thousands of PRSTATUS notes, and each search for a symbol takes a while.
  if (cpu < 0 || cpu >= kMaxCpus) return absl::NotFoundError(absl::StrFormat("no CPU %d", cpu));
  // From Linux 6.2 to 6.14, current_task was the first field of a per-CPU struct.
  auto variable = symbols.Find("current_task");
  if (!variable) variable = symbols.Find("pcpu_hot");
  if (!variable) return absl::NotFoundError("no symbol current_task (CONFIG_KALLSYMS_ALL)");
  ASSIGN_OR_RETURN(const uint64_t at, PerCpuAddress(memory, symbols, *variable, cpu));
  Task task;
  ASSIGN_OR_RETURN(task.address, memory.ReadObject<uint64_t>(at));
  const auto comm = CommOffset(memory, symbols, layout);
  if (!comm) return absl::NotFoundError("it is not known where a task has its name");
  ASSIGN_OR_RETURN(task.comm, memory.ReadString(task.address + *comm, kCommLength));
  for (char& c : task.comm) {
    if (!IsPrintable(c)) c = '?';
  }
  if (const auto pid = layout.Offset("task_struct.pid"); pid) {
    ASSIGN_OR_RETURN(task.pid, memory.ReadObject<int32_t>(task.address + *pid));
  }
  return task;
}

}  // namespace vmm
