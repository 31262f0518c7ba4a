// Functions in a stack trace that nobody blames for a death: they detect it, print it, or do for others what those ask
// of them.
#ifndef DUMP_CONSOLE_HELPER_FUNCTIONS_H_
#define DUMP_CONSOLE_HELPER_FUNCTIONS_H_

#include <span>
#include <string_view>

namespace vmm {

// Functions that are skipped for one reason. A name that ends in '*' stands for all that begin so.
struct HelperGroup {
  std::string_view reason;
  std::span<const std::string_view> names;
};
std::span<const HelperGroup> HelperGroups();

// True if a group has `function`, a name as PlainFunctionName() returns it.
bool IsHelperFunction(std::string_view function);

// True for all but those helpers that only report, detect, wait, or lead to these: if a stack has nothing but helpers,
// one of these is to blame.
bool MayBeBlamed(std::string_view function);

// True if `function` only starts a piece of work that others have defined: the entry of system calls, the worker of a
// work queue, the loops that run timers, soft interrupts, threads and init functions. The frame that it calls is the
// work itself.
bool StartsWork(std::string_view function);

}  // namespace vmm

#endif  // DUMP_CONSOLE_HELPER_FUNCTIONS_H_
