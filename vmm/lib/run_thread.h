// A thread that a run has to itself, so that nothing of the caller's thread is changed.
#ifndef VMM_LIB_RUN_THREAD_H_
#define VMM_LIB_RUN_THREAD_H_

#include <functional>

#include "absl/status/status.h"

namespace libvmm {

// Calls `run` on a new thread and waits for its end. The thread, and those that it starts, have all signals blocked but
// the ones that a fault of their own raises: the caller's handlers never run there, and a write to a pipe without a
// reader is an error, not a SIGPIPE. ResourceExhausted if there is no thread to be had.
absl::Status RunOnOwnThread(const std::function<void()>& run);

}  // namespace libvmm

#endif  // VMM_LIB_RUN_THREAD_H_
