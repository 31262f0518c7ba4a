// --sandbox=log: names each system call that a thread's filter does not allow, and lets the thread make it.
#ifndef VMM_SANDBOX_DENIED_CALLS_H_
#define VMM_SANDBOX_DENIED_CALLS_H_

#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "vmm/sandbox/system_calls.h"

namespace vmm {

// Has a thread of its own, which no filter confines. Both live as long as the process.
class DeniedCalls {
 public:
  DeniedCalls();
  ~DeniedCalls() = delete;

  DeniedCalls(const DeniedCalls&) = delete;
  DeniedCalls& operator=(const DeniedCalls&) = delete;

  // Takes the listener of a thread's filter. Any thread may call.
  void Watch(ThreadKind kind, UniqueFd listener);

 private:
  struct Listener {
    ThreadKind kind;
    UniqueFd fd;
  };

  void Run();
  // Answers one call, and logs it if its thread's kind has not made it before. False: the listener's threads are gone.
  bool Answer(const Listener& listener);

  UniqueFd wake_;
  std::mutex mutex_;  // guards new_
  std::vector<Listener> new_;
  std::set<std::pair<ThreadKind, int>> told_;  // of the thread
};

}  // namespace vmm

#endif  // VMM_SANDBOX_DENIED_CALLS_H_
