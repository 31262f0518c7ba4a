// Chooses, among the functions on a stack, the one that a person would blame.
#ifndef DUMP_CONSOLE_BLAME_H_
#define DUMP_CONSOLE_BLAME_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dump/console/headlines.h"
#include "dump/console/stack_line.h"

namespace vmm {

// The index of the frame to blame. Of most reports it is the innermost one that is no helper (helper_functions.h). A
// stall or a soft lockup is only sampled, and the innermost function differs from one sample to the next. There it is
// the innermost function of a module, else the work itself: the system call, the work item, the thread or timer
// function. Frames marked "?" count only if nothing else does.
std::optional<size_t> BlamedFrame(TroubleKind kind, std::span<const ConsoleFrame> frames);

// The names of the blamed frame and those of its callers that are no helpers: at most `most`. They make a signature.
std::vector<std::string> BlamedNames(std::span<const ConsoleFrame> frames, size_t blamed, size_t most);

}  // namespace vmm

#endif  // DUMP_CONSOLE_BLAME_H_
