#include "dump/kernel/tasks.h"

#include <array>
#include <unordered_set>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr size_t kCommLength = 16;  // TASK_COMM_LEN

// Linux include/linux/sched.h
constexpr uint64_t kPfKthread = 0x00200000;
constexpr uint64_t kTaskInterruptible = 0x1;
constexpr uint64_t kTaskUninterruptible = 0x2;
constexpr uint64_t kTaskStopped = 0x4 | 0x8;  // also traced
constexpr uint64_t kTaskDead = 0x10 | 0x20 | 0x80;
constexpr uint64_t kTaskNoload = 0x400;

struct Fields {
  uint64_t tasks = 0, pid = 0, tgid = 0, comm = 0, state = 0, flags = 0, sp = 0;
  std::optional<uint64_t> exit_state, on_cpu, cpu, thread_node, signal, thread_head;
};

absl::StatusOr<Fields> FindFields(const StructLayout& layout) {
  Fields fields;
  const auto need = [&](std::string_view name, uint64_t* offset) -> absl::Status {
    const std::optional<uint64_t> found = layout.Offset(name);
    if (!found.has_value()) {
      return absl::NotFoundError(absl::StrFormat("the list of tasks: %s is not known without BTF", name));
    }
    *offset = *found;
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(need("task_struct.tasks", &fields.tasks));
  RETURN_IF_ERROR(need("task_struct.pid", &fields.pid));
  RETURN_IF_ERROR(need("task_struct.tgid", &fields.tgid));
  RETURN_IF_ERROR(need("task_struct.comm", &fields.comm));
  RETURN_IF_ERROR(need("task_struct.flags", &fields.flags));
  RETURN_IF_ERROR(need("task_struct.thread.sp", &fields.sp));
  // Linux 5.14 renamed it, because it became an unsigned int.
  const std::optional<uint64_t> state = layout.Offset("task_struct.__state");
  fields.state = state.value_or(0);
  if (!state.has_value()) RETURN_IF_ERROR(need("task_struct.state", &fields.state));
  fields.exit_state = layout.Offset("task_struct.exit_state");
  fields.on_cpu = layout.Offset("task_struct.on_cpu");
  fields.cpu = layout.Offset("task_struct.thread_info.cpu");                   // since 5.16
  if (!fields.cpu.has_value()) fields.cpu = layout.Offset("task_struct.cpu");  // 4.9 to 5.15
  fields.thread_node = layout.Offset("task_struct.thread_node");
  fields.signal = layout.Offset("task_struct.signal");
  fields.thread_head = layout.Offset("signal_struct.thread_head");
  return fields;
}

TaskState StateOf(uint64_t state, uint64_t exit_state) {
  if (((state | exit_state) & kTaskDead) != 0) return TaskState::kDead;
  if ((state & kTaskStopped) != 0) return TaskState::kStopped;
  if ((state & kTaskUninterruptible) != 0) {
    return (state & kTaskNoload) != 0 ? TaskState::kIdle : TaskState::kUninterruptible;
  }
  return (state & kTaskInterruptible) != 0 ? TaskState::kInterruptible : TaskState::kRunning;
}

absl::StatusOr<TaskInfo> ReadTask(const KernelMemory& memory, const Fields& fields, uint64_t address) {
  TaskInfo info;
  info.task.address = address;
  ASSIGN_OR_RETURN(info.task.pid, memory.ReadObject<int32_t>(address + fields.pid));
  ASSIGN_OR_RETURN(info.tgid, memory.ReadObject<int32_t>(address + fields.tgid));
  ASSIGN_OR_RETURN(info.task.comm, memory.ReadString(address + fields.comm, kCommLength));
  for (char& c : info.task.comm) {
    if (c < ' ' || c > '~') c = '?';
  }
  ASSIGN_OR_RETURN(const uint32_t state, memory.ReadObject<uint32_t>(address + fields.state));
  ASSIGN_OR_RETURN(const uint32_t flags, memory.ReadObject<uint32_t>(address + fields.flags));
  ASSIGN_OR_RETURN(info.sp, memory.ReadObject<uint64_t>(address + fields.sp));
  uint64_t exit_state = 0;
  if (fields.exit_state) exit_state = memory.ReadObject<uint32_t>(address + *fields.exit_state).value_or(0);
  if (fields.on_cpu) info.on_cpu = memory.ReadObject<uint32_t>(address + *fields.on_cpu).value_or(0) != 0;
  if (fields.cpu) {
    const auto cpu = memory.ReadObject<uint32_t>(address + *fields.cpu);
    if (cpu.ok() && *cpu < 8192) info.cpu = static_cast<int>(*cpu);  // the largest CONFIG_NR_CPUS
  }
  info.state = StateOf(state, exit_state);
  info.kernel_thread = (flags & kPfKthread) != 0;
  return info;
}

// Calls `visit` with the address of each object in the list at `head`, whose list_head is `offset` into the object.
// False if the list breaks off.
template <typename Visit>
bool WalkList(const KernelMemory& memory, uint64_t head, uint64_t offset, Visit visit) {
  auto next = memory.ReadObject<uint64_t>(head);
  for (size_t count = 0; next.ok() && *next != head; ++count) {
    if (count >= kMaxTasks || !visit(*next - offset)) return false;
    next = memory.ReadObject<uint64_t>(*next);
  }
  return next.ok();
}

}  // namespace

char TaskStateLetter(TaskState state) { return "DRTSIZ"[static_cast<size_t>(state)]; }

absl::StatusOr<std::vector<TaskInfo>> ReadTasks(const KernelMemory& memory, const StructLayout& layout,
                                                uint64_t init_task, bool* complete) {
  ASSIGN_OR_RETURN(const Fields fields, FindFields(layout));
  std::vector<TaskInfo> tasks;
  std::unordered_set<uint64_t> seen;
  // False at a task that was there already, which is a cycle unless the caller expects it, or that makes no sense.
  const auto add = [&](uint64_t address) {
    if (tasks.size() >= kMaxTasks || !seen.insert(address).second) return false;
    absl::StatusOr<TaskInfo> info = ReadTask(memory, fields, address);
    if (!info.ok()) return false;
    tasks.push_back(*std::move(info));
    return true;
  };
  *complete = true;
  const auto add_process = [&](uint64_t leader) {
    if (!add(leader)) return false;
    if (!fields.thread_node || !fields.signal || !fields.thread_head) return true;
    const auto signal = memory.ReadObject<uint64_t>(leader + *fields.signal);
    if (!signal.ok() || *signal == 0) return true;
    const bool whole = WalkList(memory, *signal + *fields.thread_head, *fields.thread_node,
                                [&](uint64_t thread) { return thread == leader || add(thread); });
    *complete = *complete && whole;
    return true;
  };
  const bool whole = add_process(init_task) && WalkList(memory, init_task + fields.tasks, fields.tasks, add_process);
  *complete = *complete && whole;
  if (tasks.empty()) return absl::DataLossError(absl::StrFormat("init_task at %#x cannot be read", init_task));
  return tasks;
}

absl::StatusOr<CpuState> SleepingState(const KernelMemory& memory, const TaskInfo& task) {
  // struct inactive_task_frame, arch/x86/include/asm/switch_to.h: r15, r14, r13, r12, bx, bp, ret_addr
  constexpr size_t kBp = 5, kReturn = 6;
  using Frame = std::array<uint64_t, 7>;
  ASSIGN_OR_RETURN(const Frame frame, memory.ReadObject<Frame>(task.sp));
  CpuState state;
  state.started = true;
  state.rip = frame[kReturn];
  state.rbp = frame[kBp];
  state.rsp = task.sp + sizeof(Frame);
  state.r15 = frame[0], state.r14 = frame[1], state.r13 = frame[2], state.r12 = frame[3], state.rbx = frame[4];
  return state;
}

}  // namespace vmm
