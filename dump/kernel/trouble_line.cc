#include "dump/kernel/trouble_line.h"

#include <algorithm>
#include <array>

namespace vmm {
namespace {

// `also` must occur later in the line.
struct Beginning {
  Trouble trouble;
  std::string_view words;
  std::string_view also = "";
};

// From Linux arch/x86/kernel/{traps,dumpstack,nmi,cet}.c, arch/x86/mm/fault.c, arch/x86/kernel/cpu/mce,
// lib/{bug,list_debug,ubsan}.c, kernel/{panic,watchdog,hung_task}.c, kernel/rcu/tree_stall.h, kernel/locking/lockdep.c,
// mm/{slub,kasan,kfence,kmemleak}. The first match counts.
constexpr std::array kBeginnings = {
    // Also KASAN, KCSAN, KMSAN, KFENCE, soft lockups, workqueue lockups, bad pages, stack guard pages.
    Beginning{Trouble::kFatal, "BUG: "},
    Beginning{Trouble::kFatal, "watchdog: BUG: "},
    Beginning{Trouble::kFatal, "NMI watchdog: BUG: "},  // up to 4.10
    Beginning{Trouble::kFatal, "kernel BUG at "},
    Beginning{Trouble::kFatal, "BUG ", "): "},  // SLUB: "BUG kmalloc-64 (Not tainted): Redzone overwritten"

    // Since 6.10, "Oops: " stands before the exception's name; earlier it does not.
    Beginning{Trouble::kFatal, "Oops: "},
    Beginning{Trouble::kFatal, "general protection fault"},
    Beginning{Trouble::kFatal, "PANIC: double fault"},
    Beginning{Trouble::kFatal, "traps: PANIC: double fault"},
    Beginning{Trouble::kFatal, "double fault: "},
    Beginning{Trouble::kFatal, "divide error: "},
    Beginning{Trouble::kFatal, "invalid opcode: "},
    Beginning{Trouble::kFatal, "invalid TSS: "},
    Beginning{Trouble::kFatal, "segment not present: "},
    Beginning{Trouble::kFatal, "stack segment: "},
    Beginning{Trouble::kFatal, "alignment check: "},
    Beginning{Trouble::kFatal, "iret exception: "},
    Beginning{Trouble::kFatal, "control protection fault: "},
    Beginning{Trouble::kFatal, "int3: ", "[#"},
    Beginning{Trouble::kFatal, "bounds: ", "[#"},
    Beginning{Trouble::kFatal, "overflow: ", "[#"},
    Beginning{Trouble::kFatal, "simd exception: ", "[#"},
    Beginning{Trouble::kFatal, "fpu exception: ", "[#"},
    Beginning{Trouble::kFatal, "coprocessor segment overrun: ", "[#"},
    Beginning{Trouble::kFatal, "unexpected #"},  // "unexpected #NM exception: "
    Beginning{Trouble::kFatal, "Missing ENDBR: "},
    Beginning{Trouble::kFatal, "traps: Missing ENDBR: "},
    Beginning{Trouble::kFatal, "CFI failure "},
    Beginning{Trouble::kFatal, "kernel stack overflow"},
    Beginning{Trouble::kFatal, "Thread overran stack, or stack corrupted"},

    Beginning{Trouble::kFatal, "list_add corruption"},
    Beginning{Trouble::kFatal, "list_add double add"},
    Beginning{Trouble::kFatal, "list_del corruption"},
    Beginning{Trouble::kFatal, "usercopy: Kernel memory "},

    Beginning{Trouble::kFatal, "watchdog: Watchdog detected hard LOCKUP"},
    Beginning{Trouble::kFatal, "NMI watchdog: Watchdog detected hard LOCKUP"},
    Beginning{Trouble::kFatal, "Watchdog detected hard LOCKUP"},
    Beginning{Trouble::kFatal, "watchdog: CPU", "detected hard LOCKUP"},
    Beginning{Trouble::kFatal, "rcu: INFO: ", "stall"},
    Beginning{Trouble::kFatal, "INFO: rcu_", "stall"},  // up to 4.18
    Beginning{Trouble::kFatal, "rcu: ", "kthread starved for "},
    Beginning{Trouble::kFatal, "INFO: task ", "blocked"},

    Beginning{Trouble::kFatal, "mce: [Hardware Error]: ", "Machine Check Exception"},
    Beginning{Trouble::kFatal, "[Hardware Error]: ", "Machine Check Exception"},
    Beginning{Trouble::kFatal, "NMI: IOCK error"},
    Beginning{Trouble::kFatal, "NMI: PCI system error"},

    Beginning{Trouble::kWarning, "WARNING: "},  // also lockdep since 4.12
    Beginning{Trouble::kWarning, "[ INFO: "},   // lockdep before 4.12: "[ INFO: possible recursive locking detected ]"
    Beginning{Trouble::kWarning, "[ BUG: "},    // "[ BUG: bad unlock balance detected! ]"
    Beginning{Trouble::kWarning, "INFO: trying to register non-static key"},
    Beginning{Trouble::kWarning, "UBSAN: "},
    Beginning{Trouble::kWarning, "kmemleak: ", "new suspected memory leaks"},
};

// Removes "[   12.345678] " or "[   12.345678][    T1] ". A record has no such stamp, but a copy of one may.
std::string_view WithoutStamp(std::string_view text) {
  const std::string_view whole = text;
  bool stamped = false;
  while (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos || text.substr(1, end - 1).find_first_not_of(" .0123456789TC") != text.npos) {
      return stamped ? text : whole;
    }
    text.remove_prefix(end + 1);
    stamped = true;
    if (text.starts_with(' ')) {
      text.remove_prefix(1);
      break;
    }
  }
  return text;
}

bool Matches(std::string_view line, const Beginning& beginning) {
  return line.starts_with(beginning.words) &&
         (beginning.also.empty() || line.find(beginning.also, beginning.words.size()) != std::string_view::npos);
}

}  // namespace

std::optional<TroubleLine> FindTroubleLine(std::string_view message) {
  while (message.starts_with('\n')) message.remove_prefix(1);
  const std::string_view line = WithoutStamp(message.substr(0, message.find('\n')));
  const auto found = std::find_if(kBeginnings.begin(), kBeginnings.end(),
                                  [line](const Beginning& beginning) { return Matches(line, beginning); });
  if (found == kBeginnings.end()) return std::nullopt;
  return TroubleLine{found->trouble, line};
}

}  // namespace vmm
