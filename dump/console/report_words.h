// The words of a report's lines: which line opens a stack of what, which panic only repeats what was reported before.
#ifndef DUMP_CONSOLE_REPORT_WORDS_H_
#define DUMP_CONSOLE_REPORT_WORDS_H_

#include <string_view>

#include "dump/console/headlines.h"
#include "dump/console/report_draft.h"

namespace vmm {

// How each panic's line begins.
inline constexpr std::string_view kPanicLine = "Kernel panic - not ";

// The words of a panic's line after "syncing: ".
std::string_view PanicWords(std::string_view line);

// True if a panic with these words may only follow from a report of this kind: "Fatal exception" from an oops.
bool FollowsFrom(std::string_view panic_words, TroubleKind kind);

// Faults that the kernel does not survive for long.
bool IsFatal(TroubleKind kind);
bool IsStall(TroubleKind kind);
bool IsSanitizer(TroubleKind kind);

// A row of at least ten `c`, and nothing else.
bool IsRow(std::string_view line, char c);

// kNone: the line gives no hint.
Hint HintOfLine(std::string_view line);

// A line of a report: the heading of a stack that tells of something else than the fault; of the fault's own stack; or
// another line that belongs to a report.
bool OpensOtherStack(std::string_view line);
bool OpensOwnStack(std::string_view line);
bool IsReportLine(std::string_view line);

}  // namespace vmm

#endif  // DUMP_CONSOLE_REPORT_WORDS_H_
