// Writes our own messages to stderr. Each line begins with "vmm: ". The guest's output goes to stdout.
//
// If a reader of stderr stops reading, it must not delay the end of a run. A line waits 5 seconds for such a reader and
// is then lost. The lines after it are lost too, until the reader continues.
#ifndef BASE_LOG_H_
#define BASE_LOG_H_

#include <string>
#include <string_view>

namespace vmm {

// Call it once, before any thread starts. Colours are used only if stderr is a terminal.
void SetUpLog(bool verbose);

// `text` as it is written: what may not be shown is escaped (printable.h), except tabs. Further lines of it are
// indented, so that none of them passes for a line of ours.
std::string LogText(std::string_view text);

// Any thread may call these.
void LogDebug(std::string_view text);  // shown with --verbose
void LogInfo(std::string_view text);
void LogWarning(std::string_view text);

// Writes `text` unchanged to stderr, for a line that is redrawn in place.
void DrawProgress(std::string_view text);

}  // namespace vmm

#endif  // BASE_LOG_H_
