// Recognises the first line of a kernel's report of trouble, as Linux 4.x to 7.x print it.
#ifndef DUMP_KERNEL_TROUBLE_LINE_H_
#define DUMP_KERNEL_TROUBLE_LINE_H_

#include <optional>
#include <string_view>

namespace vmm {

enum class Trouble {
  kWarning,  // the kernel went on: WARNING:, lockdep, UBSAN
  kFatal,    // an oops, BUG, lockup, stall or machine check
};

// The text of `message` (a record of the kernel's log) from the words that name the trouble, and how bad it is. Only
// words at the beginning count, with at most a time stamp before them: a driver's "DEBUG: " and a program's "traps:
// init[1] general protection fault" are not the kernel's trouble. The result refers to `message`.
struct TroubleLine {
  Trouble trouble;
  std::string_view text;
};
std::optional<TroubleLine> FindTroubleLine(std::string_view message);

}  // namespace vmm

#endif  // DUMP_KERNEL_TROUBLE_LINE_H_
