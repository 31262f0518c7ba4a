// A report while its lines are being read, and the choice of a title and a function at its end.
#ifndef DUMP_CONSOLE_REPORT_DRAFT_H_
#define DUMP_CONSOLE_REPORT_DRAFT_H_

#include <string>
#include <string_view>
#include <vector>

#include "dump/console/console_report.h"

namespace vmm {

// Told by a line near a BUG() or WARN(): a checker found this.
enum class Hint { kNone, kList, kUsercopy, kRefcount, kObject };

// One stack of a report. `aside`: it tells of other events (who allocated the object, what the lock was taken for
// earlier).
struct StackSection {
  bool aside = false;
  bool traced = false;  // has had its "Call Trace:"
  std::vector<ConsoleFrame> frames;
};

// Plain data; one thread at a time.
struct ReportDraft {
  ConsoleReport report;
  const Headline* headline = nullptr;
  std::vector<std::string> parts;  // of the headline
  std::string function;            // by the headline or a line like it; may be a helper
  Hint hint = Hint::kNone;
  std::string access;  // " Read", " Write"
  std::vector<StackSection> sections;
  size_t frame_count = 0;
  bool faulted = false;    // the line with "[#1]" has been seen
  bool own_stack = false;  // lockdep: the stack of what it complains of has begun
};

// Frames kept of one report.
inline constexpr size_t kMaxReportFrames = 256;

// Adds a section, or re-uses the last one if it is still empty.
StackSection& BeginSection(ReportDraft& draft, bool aside);
void AddFrame(ReportDraft& draft, ConsoleFrame frame);

// Chooses function, title, frames and signature.
ConsoleReport FinishDraft(ReportDraft draft);

// 16 hexadecimal digits of a title and the names of functions; numbers in the title do not count.
std::string TroubleSignature(std::string_view title, const std::vector<std::string>& functions);

// `text` with ADDR for each address, NUM for each number of five digits or more, and without offsets in functions.
std::string WithoutAddresses(std::string_view text);

}  // namespace vmm

#endif  // DUMP_CONSOLE_REPORT_DRAFT_H_
