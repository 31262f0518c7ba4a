// --sandbox=log: names each system call that a thread's filter does not allow, and lets the thread make it.
#ifndef VMM_SANDBOX_DENIED_CALLS_H_
#define VMM_SANDBOX_DENIED_CALLS_H_

#include <seccomp.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <iterator>

#include "base/unique_fd.h"
#include "vmm/sandbox/system_calls.h"

namespace vmm {

// Has two threads of its own, which no filter confines, and which live as long as the process. One lets the calls pass.
// It takes no lock that a confined thread may hold, malloc's neither: a thread that waits for it inside malloc would
// wait for ever. The other one prints.
class DeniedCalls {
 public:
  static constexpr int kMaxListeners = 512;
  static constexpr int kMaxCalls = 512;  // numbers of system calls

  DeniedCalls();
  ~DeniedCalls() = delete;

  DeniedCalls(const DeniedCalls&) = delete;
  DeniedCalls& operator=(const DeniedCalls&) = delete;

  // Takes the listener of a thread's filter. Any thread may call.
  void Watch(ThreadKind kind, UniqueFd listener);

 private:
  // What is printed of one kind's use of one call: the first.
  struct First {
    std::atomic<bool> seen = false;  // the following are set
    bool printed = false;            // of the printing thread
    std::atomic<int> thread = 0;
    std::atomic<uint32_t> request = 0;  // of ioctl
  };
  struct Listener {
    ThreadKind kind;
    std::atomic<int> fd = -1;
  };

  void LetPass();
  void Answer(const Listener& listener);
  void Print();

  const UniqueFd new_listener_, new_call_;  // eventfds
  seccomp_notif* request_ = nullptr;
  seccomp_notif_resp* response_ = nullptr;
  std::atomic<int> count_ = 0;
  std::array<Listener, kMaxListeners> listeners_;
  std::array<std::array<First, kMaxCalls>, std::size(kThreadKinds)> calls_;
};

}  // namespace vmm

#endif  // VMM_SANDBOX_DENIED_CALLS_H_
