#include "dump/html/cause_section.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "dump/html/escape.h"

namespace vmm {
namespace {

constexpr size_t kChains = 20;
constexpr size_t kGroups = 20;
constexpr size_t kNames = 40;
constexpr size_t kFrames = 40;

class CauseSection {
 public:
  CauseSection(const Cause& cause, std::ostream& out) : cause_(cause), out_(out) {}

  void Print() {
    if (cause_.fault.has_value()) PrintCode();
    if (cause_.memory.has_value()) PrintMemory(*cause_.memory);
    PrintLocks();
    if (cause_.tasks.has_value()) PrintTasks(*cause_.tasks);
  }

 private:
  void Heading(std::string_view text) { out_ << "<h2>" << text << "</h2>\n"; }
  void Fact(std::string_view label, const std::string& value) {
    out_ << "<dt>" << label << "</dt><dd>" << Escape(value) << "</dd>\n";
  }

  void PrintCode() {
    Heading("Instruction");
    out_ << absl::StrFormat("<p class=\"note\">%s on CPU %d, at %s</p>\n<pre>", FaultKindName(cause_.fault->kind),
                            cause_.fault->cpu, Escape(cause_.function, false, 300));
    for (size_t i = 0; i < cause_.code.lines.size(); ++i) {
      const Instruction& line = cause_.code.lines[i];
      const bool here = i == cause_.code.at_fault;
      out_ << absl::StrFormat("%s<span class=\"dim\">%016x</span>  %s", here ? "<span class=\"bad\">" : "",
                              line.address, Escape(line.text, false, 200));
      if (!cause_.targets[i].empty()) out_ << "  <i>" << Escape(cause_.targets[i], false, 200) << "</i>";
      out_ << (here ? "</span>\n" : "\n");
    }
    out_ << "</pre>\n<details><summary><b>Registers</b> at the fault, and what they point to</summary>\n<pre>";
    for (const RegisterMeaning& known : cause_.registers) {
      out_ << absl::StrFormat("%6s %016x  %s\n", known.name, known.value, Escape(known.words, false, 300));
    }
    out_ << "</pre></details>\n";
  }

  void PrintMemory(const MemoryFinding& memory) {
    Heading("Memory");
    out_ << "<dl class=\"facts\">\n";
    Fact("address", absl::StrFormat("%#x (%s)", memory.address, memory.source));
    Fact("region", absl::StrFormat("%s: %s", RegionName(memory.meaning.region), memory.meaning.words));
    if (memory.page.has_value()) Fact("page", memory.page->Words());
    if (memory.record.has_value()) {
      Fact("struct page",
           absl::StrFormat("%#x, flags %#x, references %d%s", memory.record->address, memory.record->flags,
                           memory.record->references, memory.record->free ? ", free" : ""));
    }
    if (memory.object.has_value()) Fact("object", memory.object->Words());
    out_ << "</dl>\n";
  }

  // One link: a task, its lock, the lock's holder.
  void PrintLink(size_t index) {
    const Wait& wait = cause_.waits.waits[index];
    out_ << "<b>" << Escape(cause_.TaskName(wait.task), false, 100) << "</b> waits for "
         << Escape(cause_.LockName(index), false, 200);
    if (wait.owner.has_value()) {
      out_ << ", held by <b>" << Escape(cause_.TaskName(*wait.owner), false, 100) << "</b>";
    } else {
      out_ << ", " << Escape(wait.lock.why_no_owner, false, 200);
    }
    if (!wait.lock.remark.empty()) out_ << "; " << Escape(wait.lock.remark, false, 200);
    out_ << " <span class=\"dim\">[" << CertaintyName(wait.lock.certainty);
    for (const Evidence& evidence : wait.lock.evidence) {
      out_ << absl::StrFormat("; %s: %#x", Escape(evidence.what, false, 100), evidence.address);
    }
    out_ << "]</span>";
  }

  void PrintLocks() {
    const WaitGraph& graph = cause_.waits;
    if (graph.waits.empty()) return;
    Heading("Who waits for whom");
    for (size_t i = 0; i < graph.deadlocks.size() && i < kChains; ++i) {
      const Deadlock& deadlock = graph.deadlocks[i];
      out_ << absl::StrFormat("<p><b class=\"bad\">Deadlock %d</b>, %d tasks, %s</p>\n<ol>\n", i + 1,
                              deadlock.waits.size(), CertaintyName(deadlock.certainty));
      for (size_t link = 0; link < deadlock.waits.size() && link < kMaxChainLength; ++link) {
        out_ << "<li>";
        PrintLink(deadlock.waits[link]);
        PrintStackOf(graph.waits[deadlock.waits[link]].task);
        out_ << "</li>\n";
      }
      out_ << "</ol>\n";
    }
    for (size_t i = 0; i < graph.chains.size() && i < kChains; ++i) {
      const WaitChain& chain = graph.chains[i];
      out_ << "<ul>\n";
      for (const size_t link : chain.waits) {
        out_ << "<li>";
        PrintLink(link);
        out_ << "</li>\n";
      }
      if (chain.deadlock.has_value())
        out_ << absl::StrFormat("<li>and so into deadlock %d</li>\n", *chain.deadlock + 1);
      if (chain.cut) out_ << "<li>and so on</li>\n";
      out_ << "</ul>\n";
    }
    if (graph.chains.size() > kChains) {
      out_ << absl::StrFormat("<p class=\"note\">The first %d of %d chains.</p>\n", kChains, graph.chains.size());
    }
  }

  void PrintStackOf(size_t task) {
    for (const TaskGroup& group : cause_.tasks->groups) {
      if (std::find(group.tasks.begin(), group.tasks.end(), task) == group.tasks.end()) continue;
      PrintFrames(group);
      return;
    }
  }

  void PrintFrames(const TaskGroup& group) {
    out_ << "<pre>";
    for (size_t i = 0; i < group.frames.size() && i < kFrames; ++i) {
      out_ << absl::StrFormat("%3d  %s%s\n", i, group.frames[i].frame.guess ? "? " : "",
                              Escape(group.frames[i].Name(), false, 300));
    }
    out_ << "</pre>";
  }

  void PrintTasks(const AllTasks& all) {
    Heading("Tasks");
    out_ << absl::StrFormat("<p class=\"note\">%d tasks%s; those that no signal can wake:</p>\n", all.tasks.size(),
                            all.complete ? "" : ", as far as the kernel's list goes");
    size_t shown = 0;
    for (const TaskGroup& group : all.groups) {
      if (group.state != TaskState::kUninterruptible) continue;
      if (shown++ == kGroups) break;
      out_ << "<details><summary>";
      for (size_t i = 0; i < group.tasks.size() && i < kNames; ++i) {
        out_ << (i == 0 ? "" : ", ") << Escape(cause_.TaskName(group.tasks[i]), false, 100);
      }
      if (group.tasks.size() > kNames) out_ << absl::StrFormat(" and %d more", group.tasks.size() - kNames);
      if (!group.waits_in.empty()) out_ << " in " << Escape(group.waits_in, false, 100);
      out_ << "</summary>\n";
      PrintFrames(group);
      out_ << "</details>\n";
    }
    if (shown == 0) out_ << "<p class=\"note\">none</p>\n";
  }

  const Cause& cause_;
  std::ostream& out_;
};

}  // namespace

void PrintCauseSection(const Cause& cause, std::ostream& out) { CauseSection(cause, out).Print(); }

}  // namespace vmm
