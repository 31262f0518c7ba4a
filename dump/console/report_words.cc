#include "dump/console/report_words.h"

#include <algorithm>
#include <span>

namespace vmm {
namespace {

bool FromStall(TroubleKind kind) { return IsStall(kind); }

// Panics that only say that something has been reported before, and the kinds of reports they follow from.
struct Consequence {
  std::string_view words;
  bool (*follows)(TroubleKind);
};
bool FromAny(TroubleKind) { return true; }
bool FromHungTask(TroubleKind kind) { return kind == TroubleKind::kHungTask; }
bool FromOops(TroubleKind kind) { return kind == TroubleKind::kOops || kind == TroubleKind::kUbsan; }
bool FromCheck(TroubleKind kind) { return kind == TroubleKind::kMachineCheck; }
constexpr Consequence kConsequences[] = {
    {"Fatal exception", FromOops},
    {"Fatal hardware error", FromCheck},
    {"Fatal machine check", FromCheck},
    {"Fatal Machine check", FromCheck},
    {"panic_on_warn set", FromAny},
    {"kernel: panic_on_warn set", FromAny},
    {"KASAN: panic_on_warn set", FromAny},
    {"UBSAN: panic_on_warn set", FromAny},
    {"KCSAN: panic_on_warn set", FromAny},
    {"KFENCE: panic_on_warn set", FromAny},
    {"KMSAN: panic_on_warn set", FromAny},
    {"kasan.fault=panic", FromAny},
    {"kmsan.panic set", FromAny},
    {"scheduling while atomic", FromAny},
    {"Unrecoverable", FromOops},
    {"hung_task: blocked tasks", FromHungTask},
    {"softlockup: hung tasks", FromStall},
    {"RCU Stall", FromStall},
    {"Hard LOCKUP", FromStall},
    {"Watchdog detected hard LOCKUP", FromStall},
    {"Attempted to kill init!", FromOops},
    {"Attempted to kill the idle task!", FromOops},
    {"Aiee, killing interrupt handler!", FromOops},
    {"Kernel stack overflow", FromOops},
    {"kernel stack overflow", FromOops},
    {"System hang detected", FromAny},
    {"workqueue: panic", FromAny},
};

bool StartsWithOneOf(std::string_view text, std::span<const std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [text](std::string_view word) { return text.starts_with(word); });
}

struct HintLine {
  std::string_view words;
  Hint hint;
};
constexpr HintLine kHints[] = {
    {"list_add corruption", Hint::kList}, {"list_add double add", Hint::kList}, {"list_del corruption", Hint::kList},
    {"usercopy: ", Hint::kUsercopy},      {"refcount_t: ", Hint::kRefcount},    {"ODEBUG: ", Hint::kObject},
};

// Headings of stacks that tell of something else than the fault.
constexpr std::string_view kAside[] = {
    "Allocated by task",
    "Allocated:",
    "Allocated in",
    "INFO: Allocated in",
    "Freed by task",
    "Freed:",
    "Freed in",
    "INFO: Freed in",
    "allocated by task",
    "freed by task",
    "Last potentially related work",
    "Last call_rcu",
    "Second to last potentially",
    "Uninit was stored",
    "Uninit was created",
    "Local variable",
    "-> #",
    "the existing dependency chain",
    "page last allocated",
    "page last free",
    "page allocated via",
    "page_owner",
    "Preemption disabled at",
    "RCU grace-period kthread stack dump",
    "Object was allocated",
    "Showing busy workqueues",
    "Showing backtraces of",
    "Memory state around",
    "previous write",
    "Auxiliary stack",
};

// Headings of the fault's own stack.
constexpr std::string_view kOwn[] = {
    "stack backtrace:",      "backtrace:",        "backtrace (crc",
    "NMI backtrace for cpu", "Task dump for CPU", "Sending NMI from CPU",
};

// A line of a report that is neither a stack's nor a heading.
constexpr std::string_view kRelated[] = {
    "CPU:",
    "Hardware name",
    "Call ",
    "RIP",
    "RSP",
    "RAX",
    "RDX",
    "RBP",
    "R10",
    "R13",
    "FS:",
    "CS:",
    "CR2",
    "DR0",
    "DR3",
    "Code:",
    "PKRU",
    "Modules linked",
    "Kernel Offset",
    "Rebooting",
    "---[",
    "<TASK>",
    "</TASK>",
    "<IRQ>",
    "</IRQ>",
    "<NMI>",
    "</NMI>",
    "<#",
    "</#",
    "The buggy",
    "Memory state",
    "which belongs",
    "Dumping ftrace",
    "Tainted",
    "Not tainted",
    "task:",
    "Workqueue:",
    "comm ",
    "Possible unsafe",
    "other info",
    "***",
    "#",
    "Sending NMI",
    "rcu:",
    "raw:",
    "page:",
    "flags:",
    "EFLAGS",
    "Oops",
    "PGD",
    "EIP",
    "Disabling lock",
    "Kernel panic",
    "INFO: lockdep",
    "hex dump",
    "(detected by",
    "Read of size",
    "Write of size",
    "Free of addr",
    "\"echo 0",
    ">",
};

}  // namespace

bool IsFatal(TroubleKind kind) { return kind == TroubleKind::kOops || kind == TroubleKind::kMachineCheck; }

bool IsStall(TroubleKind kind) {
  return kind == TroubleKind::kRcuStall || kind == TroubleKind::kSoftLockup || kind == TroubleKind::kHardLockup;
}

bool IsSanitizer(TroubleKind kind) {
  return kind == TroubleKind::kKasan || kind == TroubleKind::kKmsan || kind == TroubleKind::kKcsan ||
         kind == TroubleKind::kKfence || kind == TroubleKind::kUbsan;
}

std::string_view PanicWords(std::string_view text) {
  const size_t at = text.find(": ");
  return at == std::string_view::npos ? "" : text.substr(at + 2);
}

bool IsRow(std::string_view text, char c) {
  constexpr size_t kLeast = 10;
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text.size() >= kLeast && text.find_first_not_of(c) == std::string_view::npos;
}

bool FollowsFrom(std::string_view panic_words, TroubleKind kind) {
  return std::any_of(std::begin(kConsequences), std::end(kConsequences), [&](const Consequence& each) {
    return panic_words.starts_with(each.words) && each.follows(kind);
  });
}

Hint HintOfLine(std::string_view line) {
  const auto* const found = std::find_if(std::begin(kHints), std::end(kHints),
                                         [line](const HintLine& each) { return line.starts_with(each.words); });
  return found == std::end(kHints) ? Hint::kNone : found->hint;
}

bool OpensOtherStack(std::string_view line) { return StartsWithOneOf(line, kAside); }
bool OpensOwnStack(std::string_view line) { return StartsWithOneOf(line, kOwn); }
bool IsReportLine(std::string_view line) { return StartsWithOneOf(line, kRelated); }

}  // namespace vmm
