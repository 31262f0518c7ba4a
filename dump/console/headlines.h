// The lines with which the kernel begins a report of trouble, and the title under which people file each.
#ifndef DUMP_CONSOLE_HEADLINES_H_
#define DUMP_CONSOLE_HEADLINES_H_

#include <optional>
#include <string_view>

#include "dump/console/line_format.h"

namespace vmm {

enum class TroubleKind {
  kKasan,
  kKmsan,
  kKcsan,
  kKfence,
  kUbsan,
  kOops,  // a fault that the kernel did not expect, also a BUG()
  kBug,   // other "BUG:" lines
  kWarning,
  kLockdep,
  kSoftLockup,
  kHardLockup,
  kWorkqueueLockup,
  kRcuStall,
  kHungTask,
  kMemoryLeak,
  kMachineCheck,
  kPanic,
};

// "kasan", "rcu-stall": stable words for JSON.
std::string_view TroubleKindName(TroubleKind kind);

struct Headline {
  TroubleKind kind;
  std::string_view format;  // for MatchLine(), from the kernel's sources

  // {0}, {1}: the parts of the line. {access}: " Read" or " Write" if a later line says which. {in}: " in f", with the
  // blamed function, or nothing if none is known.
  std::string_view title;

  // True if only a line with a mark of the kernel's log counts, because programs print such words too.
  bool needs_mark = false;

  // The number of the part that is the function at fault in the detector's own eyes. -1: the line names none.
  int function = -1;
};

struct FoundHeadline {
  const Headline* headline;
  LineParts parts;
};

// `text` is a line without what logs put before it (log_line.h). Names of subsystems ("watchdog: ", "rcu: ") may come
// first.
std::optional<FoundHeadline> FindHeadline(std::string_view text, bool marked);

}  // namespace vmm

#endif  // DUMP_CONSOLE_HEADLINES_H_
