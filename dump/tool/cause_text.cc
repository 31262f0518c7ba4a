#include "dump/tool/cause_text.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_format.h"
#include "dump/tool/printable.h"

namespace vmm {
namespace {

constexpr size_t kGroupsShown = 10;  // of tasks
constexpr size_t kNamesShown = 10;   // of one group
constexpr size_t kFramesShown = 12;  // of one stack
constexpr size_t kChainsShown = 10;

std::string HexBytes(const std::vector<uint8_t>& bytes) {
  std::string text;
  for (const uint8_t byte : bytes) text += absl::StrFormat("%s%02x", text.empty() ? "" : " ", byte);
  return text;
}

class CauseText {
 public:
  CauseText(const Cause& cause, bool registers, bool colour, std::ostream& out)
      : cause_(cause), registers_(registers), colour_(colour), out_(out) {}

  void Print() {
    if (cause_.fault.has_value()) PrintCode();
    if (cause_.memory.has_value()) PrintMemory(*cause_.memory);
    PrintLocks();
    if (cause_.tasks.has_value()) PrintTasks(*cause_.tasks);
  }

 private:
  void Heading(const std::string& text) { out_ << "\n" << (colour_ ? "\x1b[1m" + text + "\x1b[0m" : text) << "\n"; }
  void Row(std::string_view label, const std::string& value) { out_ << absl::StrFormat("  %-9s %s\n", label, value); }

  void PrintCode() {
    const Fault& fault = *cause_.fault;
    Heading(absl::StrFormat("Instruction: %s on CPU %d, at %s", FaultKindName(fault.kind), fault.cpu,
                            Printable(cause_.function)));
    for (size_t i = 0; i < cause_.code.lines.size(); ++i) {
      const Instruction& line = cause_.code.lines[i];
      std::string text = absl::StrFormat("%s%016x  %-30s %s", i == cause_.code.at_fault ? "=>" : "  ", line.address,
                                         HexBytes(line.bytes), Printable(line.text));
      if (!cause_.targets[i].empty()) text += absl::StrFormat("  <%s>", Printable(cause_.targets[i]));
      out_ << text << "\n";
    }
    if (!cause_.code.why_not.empty()) Row("missing", Printable(cause_.code.why_not));
    if (!registers_) return;
    for (const RegisterMeaning& known : cause_.registers) {
      out_ << absl::StrFormat("  %6s %016x", known.name, known.value);
      if (!known.words.empty()) out_ << "  " << Printable(known.words);
      out_ << "\n";
    }
  }

  void PrintMemory(const MemoryFinding& memory) {
    Heading(absl::StrFormat("Memory at %#x (%s)", memory.address, memory.source));
    Row("region", absl::StrFormat("%s: %s", RegionName(memory.meaning.region), Printable(memory.meaning.words)));
    if (memory.page.has_value()) Row("page", memory.page->Words());
    if (memory.record.has_value()) {
      Row("struct", absl::StrFormat("page at %#x, flags %#x, %d reference%s%s", memory.record->address,
                                    memory.record->flags, memory.record->references,
                                    memory.record->references == 1 ? "" : "s", memory.record->free ? ", free" : ""));
    }
    if (!memory.object.has_value()) return;
    const SlabObject& object = *memory.object;
    Row("object", absl::StrFormat("%s; the object is %#x, %d bytes, cache at %#x", Printable(object.Words()),
                                  object.object, object.object_size, object.cache));
  }

  std::string Task(size_t task) const { return Printable(cause_.TaskName(task)); }

  void PrintLink(size_t wait, std::string_view first) {
    const Wait& link = cause_.waits.waits[wait];
    std::string text = absl::StrFormat("  %s%s waits for %s (%#x)", first, Task(link.task),
                                       Printable(cause_.LockName(wait)), link.lock.lock);
    text += link.owner.has_value() ? absl::StrFormat(", held by %s", Task(*link.owner))
                                   : ", " + Printable(link.lock.why_no_owner);
    if (!link.lock.remark.empty()) text += "; " + link.lock.remark;
    out_ << text << " [" << CertaintyName(link.lock.certainty) << "]\n";
    for (const Evidence& evidence : link.lock.evidence) {
      out_ << absl::StrFormat("        %s: %#x\n", Printable(evidence.what), evidence.address);
    }
  }

  void PrintLocks() {
    const WaitGraph& graph = cause_.waits;
    for (size_t i = 0; i < graph.deadlocks.size() && i < kChainsShown; ++i) {
      const Deadlock& deadlock = graph.deadlocks[i];
      Heading(absl::StrFormat("Deadlock %d of %d tasks, %s", i + 1, deadlock.waits.size(),
                              CertaintyName(deadlock.certainty)));
      for (size_t link = 0; link < deadlock.waits.size() && link < kMaxChainLength; ++link) {
        PrintLink(deadlock.waits[link], "");
        PrintStackOf(graph.waits[deadlock.waits[link]].task);
      }
    }
    if (graph.chains.empty()) return;
    Heading(absl::StrFormat("Waiting for locks: %d chain%s", graph.chains.size(), graph.chains.size() == 1 ? "" : "s"));
    for (size_t i = 0; i < graph.chains.size() && i < kChainsShown; ++i) {
      const WaitChain& chain = graph.chains[i];
      for (size_t link = 0; link < chain.waits.size(); ++link) {
        PrintLink(chain.waits[link], link == 0 ? "" : "  and ");
      }
      if (chain.deadlock.has_value()) out_ << absl::StrFormat("    which is in deadlock %d\n", *chain.deadlock + 1);
      if (chain.last.has_value()) out_ << "    " << Task(*chain.last) << " " << DoingOf(*chain.last) << "\n";
      if (chain.cut) out_ << "    and so on\n";
    }
    if (graph.chains.size() > kChainsShown) {
      out_ << absl::StrFormat("  %d more; --json has them\n", graph.chains.size() - kChainsShown);
    }
  }

  const TaskGroup* GroupOf(size_t task) const {
    for (const TaskGroup& group : cause_.tasks->groups) {
      if (std::find(group.tasks.begin(), group.tasks.end(), task) != group.tasks.end()) return &group;
    }
    return nullptr;
  }

  // What the task at the end of a chain does.
  std::string DoingOf(size_t task) const {
    const TaskInfo& info = cause_.tasks->tasks[task];
    const TaskGroup* const group = GroupOf(task);
    const std::string place = group != nullptr && !group->waits_in.empty() ? " in " + Printable(group->waits_in) : "";
    if (info.on_cpu) return absl::StrFormat("runs on CPU %d%s", info.cpu.value_or(-1), place);
    if (info.state == TaskState::kRunning) return "waits for a CPU" + place;
    return absl::StrFormat("sleeps (%c)%s", TaskStateLetter(info.state), place);
  }

  void PrintStackOf(size_t task) {
    if (const TaskGroup* const group = GroupOf(task); group != nullptr) PrintFrames(*group);
  }

  void PrintFrames(const TaskGroup& group) {
    for (size_t i = 0; i < group.frames.size() && i < kFramesShown; ++i) {
      const ReportFrame& frame = group.frames[i];
      out_ << absl::StrFormat("      #%-2d %s%s\n", i, frame.frame.guess ? "? " : "", Printable(frame.Name()));
    }
    if (group.frames.size() > kFramesShown) {
      out_ << absl::StrFormat("      %d more\n", group.frames.size() - kFramesShown);
    }
  }

  void PrintTasks(const AllTasks& all) {
    std::map<TaskState, size_t> counts;
    for (const TaskInfo& task : all.tasks) ++counts[task.state];
    std::string heading = absl::StrFormat("Tasks: %d", all.tasks.size());
    for (const auto& [state, count] : counts) heading += absl::StrFormat(", %d %c", count, TaskStateLetter(state));
    Heading(heading + (all.complete ? "" : "; the kernel's list breaks off"));
    size_t shown = 0;
    for (const TaskGroup& group : all.groups) {
      if (group.state != TaskState::kUninterruptible) continue;
      if (shown++ == kGroupsShown) {
        out_ << "  more in state D; `vmcore tasks` has them\n";
        break;
      }
      out_ << "  D  " << NamesOf(group);
      if (!group.waits_in.empty()) out_ << " in " << Printable(group.waits_in);
      out_ << "\n";
      PrintFrames(group);
    }
    std::map<int, std::string> cpus;
    for (const TaskInfo& task : all.tasks) {
      if (task.state != TaskState::kRunning || !task.cpu.has_value() || task.task.pid == 0) continue;
      std::string& names = cpus[*task.cpu];
      if (names.size() > 200) continue;
      names += absl::StrFormat("%s%s %d%s", names.empty() ? "" : ", ", Printable(task.task.comm),
                               task.task.pid.value_or(-1), task.on_cpu ? " runs" : " waits for the CPU");
    }
    for (const auto& [cpu, names] : cpus) out_ << absl::StrFormat("  R  CPU %d: %s\n", cpu, names);
  }

  std::string NamesOf(const TaskGroup& group) const {
    std::string names;
    for (size_t i = 0; i < group.tasks.size() && i < kNamesShown; ++i) {
      names += (i == 0 ? "" : ", ") + Task(group.tasks[i]);
    }
    if (group.tasks.size() > kNamesShown) names += absl::StrFormat(" and %d more", group.tasks.size() - kNamesShown);
    return names;
  }

  const Cause& cause_;
  const bool registers_;
  const bool colour_;
  std::ostream& out_;
};

}  // namespace

void PrintCause(const Cause& cause, bool registers, bool colour, std::ostream& out) {
  CauseText(cause, registers, colour, out).Print();
}

}  // namespace vmm
