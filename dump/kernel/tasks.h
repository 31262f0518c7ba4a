// All tasks of a dead or stopped guest, with what each does or waits for.
#ifndef DUMP_KERNEL_TASKS_H_
#define DUMP_KERNEL_TASKS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/kernel/kernel_view.h"

namespace vmm {

// Ordered by interest: what cannot be interrupted comes first.
enum class TaskState {
  kUninterruptible,  // D: waits, and no signal ends that
  kRunning,          // R: on a CPU, or ready for one
  kStopped,          // T: stopped or traced
  kInterruptible,    // S
  kIdle,             // I: a kernel thread that waits without adding to the load
  kDead,             // Z, X: has ended
};

// 'D', 'R', ... as ps prints it.
char TaskStateLetter(TaskState state);

struct TaskInfo {
  Task task;
  int32_t tgid = 0;  // of its process: the pid of the process's first thread
  TaskState state = TaskState::kRunning;
  bool kernel_thread = false;
  bool on_cpu = false;
  std::optional<int> cpu;  // that it runs on or ran on last
  uint64_t sp = 0;         // RSP at which it sleeps; of no meaning if `on_cpu`
};

// Tasks of which a list keeps no more; a list with a cycle ends there.
inline constexpr size_t kMaxTasks = 65536;

// All threads of all processes, from init_task on. NotFound if BTF or symbols are missing. `complete` is set to false
// if a list breaks off or has more than kMaxTasks.
absl::StatusOr<std::vector<TaskInfo>> ReadTasks(const KernelMemory& memory, const StructLayout& layout,
                                                uint64_t init_task, bool* complete);

// The registers with which a task that sleeps goes on: those that __switch_to_asm saved on its stack. NotFound if its
// stack cannot be read.
absl::StatusOr<CpuState> SleepingState(const KernelMemory& memory, const TaskInfo& task);

}  // namespace vmm

#endif  // DUMP_KERNEL_TASKS_H_
