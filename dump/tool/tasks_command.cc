#include "dump/tool/tasks_command.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/json_text.h"
#include "base/status.h"
#include "dump/kernel/task_groups.h"
#include "dump/read/vmcore.h"
#include "dump/tool/found_xen.h"
#include "dump/tool/open_core.h"
#include "dump/tool/printable.h"

namespace vmm {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kNamesShown = 40;  // of one group, in text

std::string NameOf(const TaskInfo& task) {
  std::string name = absl::StrFormat("%s %d", Printable(task.task.comm), task.task.pid.value_or(-1));
  if (task.on_cpu && task.cpu.has_value()) name += absl::StrFormat(" (on CPU %d)", *task.cpu);
  return name;
}

class TasksText {
 public:
  TasksText(const AllTasks& all, bool whole, std::ostream& out) : all_(all), whole_(whole), out_(out) {}

  void Print() {
    PrintCounts();
    PrintCpus();
    size_t folded = 0;
    std::map<std::string, size_t> folded_in;
    for (const TaskGroup& group : all_.groups) {
      const bool asleep = group.state == TaskState::kInterruptible || group.state == TaskState::kIdle;
      if (!whole_ && group.kernel_threads && asleep) {
        folded += group.tasks.size();
        folded_in[group.waits_in.empty() ? "an unknown function" : group.waits_in] += group.tasks.size();
        continue;
      }
      PrintGroup(group);
    }
    if (folded == 0) return;
    out_ << absl::StrFormat("\n%d kernel threads sleep (--all shows their stacks)\n", folded);
    for (const auto& [function, count] : folded_in)
      out_ << absl::StrFormat("  %5d in %s\n", count, Printable(function));
  }

 private:
  void PrintCounts() {
    std::map<TaskState, size_t> counts;
    for (const TaskInfo& task : all_.tasks) ++counts[task.state];
    out_ << absl::StrFormat("%d tasks:", all_.tasks.size());
    for (const auto& [state, count] : counts) out_ << absl::StrFormat(" %d %c", count, TaskStateLetter(state));
    out_ << (all_.complete ? "\n" : "; the kernel's list breaks off, so more may exist\n");
  }

  // Running and runnable tasks by CPU.
  void PrintCpus() {
    std::map<int, std::string> cpus;
    for (const TaskInfo& task : all_.tasks) {
      if (task.state != TaskState::kRunning || !task.cpu.has_value() || task.task.pid == 0) continue;
      cpus[*task.cpu] += absl::StrFormat("%s%s %d%s", cpus[*task.cpu].empty() ? "" : ", ", Printable(task.task.comm),
                                         task.task.pid.value_or(-1), task.on_cpu ? " runs" : " waits for the CPU");
    }
    for (const auto& [cpu, tasks] : cpus) out_ << absl::StrFormat("  CPU %d: %s\n", cpu, tasks);
  }

  void PrintGroup(const TaskGroup& group) {
    out_ << absl::StrFormat("\n%c  %d %s%s", TaskStateLetter(group.state), group.tasks.size(),
                            group.kernel_threads ? "kernel thread" : "task", group.tasks.size() == 1 ? "" : "s");
    if (!group.waits_in.empty()) out_ << " in " << Printable(group.waits_in);
    out_ << "\n   ";
    for (size_t i = 0; i < group.tasks.size() && i < kNamesShown; ++i) {
      out_ << (i == 0 ? " " : ", ") << NameOf(all_.tasks[group.tasks[i]]);
    }
    if (group.tasks.size() > kNamesShown) out_ << absl::StrFormat(" and %d more", group.tasks.size() - kNamesShown);
    out_ << "\n";
    int number = 0;
    for (const ReportFrame& frame : group.frames) {
      out_ << absl::StrFormat("  #%-2d %s%s\n", number++, frame.frame.guess ? "? " : "", Printable(frame.Name()));
    }
    out_ << "      --- " << Printable(group.end) << "\n";
  }

  const AllTasks& all_;
  const bool whole_;
  std::ostream& out_;
};

Json FrameJson(const ReportFrame& frame) {
  Json json = {{"ip", absl::StrFormat("%#x", frame.frame.ip)}};
  if (frame.place.has_value()) {
    if (!frame.place->function.empty()) json["function"] = frame.place->function;
    json["offset"] = frame.place->offset;
    if (!frame.place->module.empty()) json["module"] = frame.place->module;
  }
  if (frame.frame.guess) json["guess"] = true;
  return json;
}

Json TasksJson(const AllTasks& all) {
  Json json = {{"complete", all.complete}, {"tasks", Json::array()}, {"groups", Json::array()}};
  std::vector<size_t> group_of(all.tasks.size());
  for (size_t g = 0; g < all.groups.size(); ++g) {
    const TaskGroup& group = all.groups[g];
    Json frames = Json::array();
    for (const ReportFrame& frame : group.frames) frames.push_back(FrameJson(frame));
    Json& object = json["groups"].emplace_back();
    object["state"] = std::string(1, TaskStateLetter(group.state));
    object["kernel_threads"] = group.kernel_threads;
    if (!group.waits_in.empty()) object["waits_in"] = group.waits_in;
    object["tasks"] = group.tasks;
    object["frames"] = std::move(frames);
    object["end"] = group.end;
    for (const size_t task : group.tasks) group_of[task] = g;
  }
  for (size_t i = 0; i < all.tasks.size(); ++i) {
    const TaskInfo& task = all.tasks[i];
    Json& object = json["tasks"].emplace_back();
    object["comm"] = task.task.comm;
    if (task.task.pid.has_value()) object["pid"] = *task.task.pid;
    object["tgid"] = task.tgid;
    object["state"] = std::string(1, TaskStateLetter(task.state));
    if (task.cpu.has_value()) object["cpu"] = *task.cpu;
    object["on_cpu"] = task.on_cpu;
    object["kernel_thread"] = task.kernel_thread;
    object["address"] = absl::StrFormat("%#x", task.task.address);
    object["group"] = group_of[i];
  }
  return json;
}

absl::StatusOr<AllTasks> ReadTasksOf(const Vmcore& core) {
  const LinuxOf subject = FindLinux(core);
  ASSIGN_OR_RETURN(const std::unique_ptr<KernelView> view, KernelView::Open(*subject.memory, subject.kernel));
  return ReadAllTasks(*view, subject.cpus);
}

int RunTasks(const Invocation& call) {
  const auto core = OpenCore(call, call.operands()[0]);
  if (!core.ok()) return call.Fail(core.status());
  const absl::StatusOr<AllTasks> all = ReadTasksOf(**core);
  if (!all.ok()) return call.Fail(all.status());
  if (call.json()) {
    Json json = TasksJson(*all);
    if (!call.cut_short().empty()) json["cut_short"] = call.cut_short();
    call.out() << JsonText(std::move(json), /*indent=*/2, JsonCharset::kAscii) << "\n";
  } else {
    TasksText(*all, call.Has("all"), call.out()).Print();
  }
  return kExitFine;
}

}  // namespace

Command TasksCommand() {
  Command command;
  command.name = "tasks";
  command.operands = "FILE";
  command.summary = "all tasks: state, CPU, what each waits for, its stack";
  command.details =
      "Tasks with the same stack stand together, those that no signal can wake (D) first.\n"
      "Needs the kernel's BTF (CONFIG_DEBUG_INFO_BTF).\n";
  command.options = {{"all", "", "the stacks of sleeping kernel threads, too"}};
  command.run = RunTasks;
  return command;
}

}  // namespace vmm
