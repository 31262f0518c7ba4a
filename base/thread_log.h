// Our own messages (log.h) when we run inside of somebody else's program: its standard error is not ours to write to.
#ifndef BASE_THREAD_LOG_H_
#define BASE_THREAD_LOG_H_

#include <functional>
#include <string_view>

namespace vmm {

enum class LogLevel { kDebug, kInfo, kWarning };

// Takes one message: escaped as LogText() does, without a newline at its end.
using LogFunction = std::function<void(LogLevel level, std::string_view text)>;

// From now on `log` takes the calling thread's messages, and none of them is written to stderr. `log` must outlive the
// thread, or the next call. Null: as before any call. Other threads are not affected, and threads that this one starts
// do not inherit it.
void SendThreadLogTo(const LogFunction* log);

// True if a message of the calling thread is written to stderr: after SetUpLog(), on a thread that has no function. On
// such a thread without SetUpLog(), messages are dropped.
bool LogsToStderr();

}  // namespace vmm

#endif  // BASE_THREAD_LOG_H_
