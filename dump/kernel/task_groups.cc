#include "dump/kernel/task_groups.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "dump/console/function_name.h"
#include "dump/console/helper_functions.h"

namespace vmm {
namespace {

Backtrace NoStack(std::string why) {
  Backtrace none;
  none.end = std::move(why);
  return none;
}

Backtrace StackOf(KernelView& view, std::span<const CpuState> cpus, const TaskInfo& task) {
  if (task.state == TaskState::kDead) return NoStack("has ended");
  if (task.on_cpu) {
    const bool known = task.cpu.has_value() && static_cast<size_t>(*task.cpu) < cpus.size();
    return known ? view.Unwind(cpus[static_cast<size_t>(*task.cpu)]) : NoStack("on an unknown CPU");
  }
  const absl::StatusOr<CpuState> state = SleepingState(view.memory(), task);
  return state.ok() ? view.Unwind(*state) : NoStack("its stack cannot be read");
}

void Describe(KernelView& view, const Backtrace& backtrace, TaskGroup& group) {
  group.end = backtrace.end;
  for (const StackFrame& frame : backtrace.frames) {
    std::optional<KernelView::Place> place = view.Describe(frame.lookup_ip());
    if (place.has_value() && !frame.interrupted) ++place->offset;  // the offset of the return address itself
    const std::string name = place.has_value() ? PlainFunctionName(place->function) : "";
    if (group.waits_in.empty() && !name.empty() && !frame.guess && !IsHelperFunction(name)) group.waits_in = name;
    group.frames.push_back({frame, std::move(place), /*known=*/!frame.guess});
  }
}

}  // namespace

absl::StatusOr<AllTasks> ReadAllTasks(KernelView& view, std::span<const CpuState> cpus) {
  const std::optional<uint64_t> init_task =
      view.symbols() != nullptr ? view.symbols()->Find("init_task") : std::nullopt;
  if (!init_task.has_value()) return absl::NotFoundError("the list of tasks: there is no symbol init_task");
  AllTasks all;
  ASSIGN_OR_RETURN(all.tasks, ReadTasks(view.memory(), view.layout(), *init_task, &all.complete));
  using Key = std::tuple<TaskState, bool, std::vector<uint64_t>>;
  std::map<Key, size_t> groups;
  for (size_t i = 0; i < all.tasks.size(); ++i) {
    const TaskInfo& task = all.tasks[i];
    const Backtrace backtrace = StackOf(view, cpus, task);
    std::vector<uint64_t> ips;
    for (const StackFrame& frame : backtrace.frames) ips.push_back(frame.ip);
    const auto [at, fresh] = groups.try_emplace({task.state, task.kernel_thread, std::move(ips)}, all.groups.size());
    if (fresh) {
      TaskGroup& group = all.groups.emplace_back();
      group.state = task.state;
      group.kernel_threads = task.kernel_thread;
      Describe(view, backtrace, group);
    }
    all.groups[at->second].tasks.push_back(i);
  }
  std::stable_sort(all.groups.begin(), all.groups.end(), [](const TaskGroup& a, const TaskGroup& b) {
    return std::tuple(a.state, a.kernel_threads, b.tasks.size()) <
           std::tuple(b.state, b.kernel_threads, a.tasks.size());
  });
  return all;
}

}  // namespace vmm
