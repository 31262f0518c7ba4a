// The tasks of a guest with their stacks, those that wait at the same place together.
#ifndef DUMP_KERNEL_TASK_GROUPS_H_
#define DUMP_KERNEL_TASK_GROUPS_H_

#include <span>
#include <string>
#include <vector>

#include "dump/kernel/kernel_report.h"
#include "dump/kernel/tasks.h"

namespace vmm {

// Tasks of one state with the same stack.
struct TaskGroup {
  TaskState state = TaskState::kRunning;
  bool kernel_threads = false;
  std::string waits_in;  // the innermost function that neither schedules nor locks; empty: not known
  std::vector<ReportFrame> frames;
  std::string end;            // as Backtrace::end
  std::vector<size_t> tasks;  // indices in AllTasks::tasks
};

struct AllTasks {
  std::vector<TaskInfo> tasks;    // in the order of the kernel's list
  std::vector<TaskGroup> groups;  // by state, kernel threads last in each; larger groups first
  bool complete = true;           // false: a list broke off, or had more than kMaxTasks
};

// The stack of a sleeping task is unwound from where it went to sleep, that of a task on a CPU from `cpus`, in Linux's
// order. NotFound if the guest's BTF or symbols are missing.
absl::StatusOr<AllTasks> ReadAllTasks(KernelView& view, std::span<const CpuState> cpus);

}  // namespace vmm

#endif  // DUMP_KERNEL_TASK_GROUPS_H_
