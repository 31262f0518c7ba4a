// Our own words, on stderr, each line begun with "vmm: ". The guest's words go to stdout.
//
// A reader of stderr that reads no more must not hold up the end of a run: a line waits for it for 5 seconds, and is
// lost then, as are those that follow until the reader goes on.
#ifndef VMM_LOG_H_
#define VMM_LOG_H_

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

#endif  // VMM_LOG_H_
