// Our own words, on stderr, each line begun with "vmm: ". The guest's words go to stdout.
//
// A reader of stderr that stops reading must not hold up the end of a run. A line waits 5 seconds for such a reader and
// is then lost, as are those after it until the reader goes on.
#ifndef BASE_LOG_H_
#define BASE_LOG_H_

#include <string_view>

namespace vmm {

// Once, before any thread starts. Colours only where stderr is a terminal.
void SetUpLog(bool verbose);

// Any thread.
void LogDebug(std::string_view text);  // shown with --verbose
void LogInfo(std::string_view text);
void LogWarning(std::string_view text);

// `text` as it is, on stderr: for a line that is drawn over.
void DrawProgress(std::string_view text);

}  // namespace vmm

#endif  // BASE_LOG_H_
