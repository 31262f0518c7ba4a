#include "dump/cause/waits_of_tasks.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace vmm {
namespace {

std::vector<LockFrame> LockFramesOf(KernelView& view, const TaskGroup& group, const TaskInfo& task) {
  const absl::StatusOr<CpuState> state = SleepingState(view.memory(), task);
  if (!state.ok()) return {};
  const Backtrace backtrace = view.Unwind(*state);
  std::vector<LockFrame> frames;
  uint64_t from = state->rsp;
  for (size_t i = 0; i < backtrace.frames.size() && i < group.frames.size(); ++i) {
    const bool last = i + 1 == backtrace.frames.size();
    const uint64_t to = last ? from + kMaxLockFrame : backtrace.frames[i + 1].at;
    const std::optional<KernelView::Place>& place = group.frames[i].place;
    if (place.has_value()) frames.push_back({place->function, from, to});
    from = to + sizeof(uint64_t);  // after the return address
  }
  return frames;
}

bool MayWaitForLock(const TaskGroup& group) {
  return std::any_of(group.frames.begin(), group.frames.end(), [](const ReportFrame& frame) {
    return frame.place.has_value() && IsLockFunction(frame.place->function);
  });
}

}  // namespace

std::vector<Wait> FindWaits(KernelView& view, const AllTasks& tasks, const Regions& regions, Meter& meter) {
  std::unordered_map<uint64_t, size_t> index_of;
  for (size_t i = 0; i < tasks.tasks.size(); ++i) index_of.emplace(tasks.tasks[i].task.address, i);
  const auto is_on_stack = [&](uint64_t task, uint64_t address) {
    const auto at = index_of.find(task);
    const std::optional<uint64_t> bottom = at != index_of.end() ? regions.StackOf(at->second) : std::nullopt;
    return bottom.has_value() && address - *bottom < regions.stack_size();
  };
  LockReader reader(view.memory(), view.layout(), {[&](uint64_t task) { return index_of.contains(task); }, is_on_stack},
                    meter);
  std::vector<Wait> waits;
  for (const TaskGroup& group : tasks.groups) {
    if (group.state == TaskState::kDead || group.state == TaskState::kRunning || !MayWaitForLock(group)) continue;
    for (const size_t i : group.tasks) {
      if (waits.size() >= kMaxWaits || meter.spent()) return waits;
      const TaskInfo& task = tasks.tasks[i];
      std::optional<LockWait> lock = reader.Find(task.task.address, LockFramesOf(view, group, task));
      if (!lock.has_value()) continue;
      Wait wait;
      wait.task = i;
      wait.uninterruptible = task.state == TaskState::kUninterruptible;
      if (lock->owner.has_value()) wait.owner = index_of.at(*lock->owner);
      wait.lock = *std::move(lock);
      waits.push_back(std::move(wait));
    }
  }
  return waits;
}

}  // namespace vmm
