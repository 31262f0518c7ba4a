#include "vmm/kvm/kick_signal.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

// The signal's arrival is enough: it ends the system call that the thread is in.
void DoNothing(int) {}

}  // namespace

absl::Status InstallKickSignal() {
  struct sigaction current = {};
  if (sigaction(SIGRTMIN, nullptr, &current) != 0) return ErrnoStatus(errno, "read the handler of SIGRTMIN");
  const bool has_siginfo = (current.sa_flags & SA_SIGINFO) != 0;
  if (!has_siginfo && current.sa_handler == DoNothing) return absl::OkStatus();
  if (has_siginfo || (current.sa_handler != SIG_DFL && current.sa_handler != SIG_IGN)) {
    return absl::FailedPreconditionError(
        absl::StrFormat("signal SIGRTMIN (%d) has a handler already, but vCPU threads are stopped by it", SIGRTMIN));
  }
  struct sigaction action = {};
  action.sa_handler = DoNothing;
  sigemptyset(&action.sa_mask);
  action.sa_flags = 0;  // no SA_RESTART
  if (sigaction(SIGRTMIN, &action, nullptr) != 0) return ErrnoStatus(errno, "set the handler of SIGRTMIN");
  return absl::OkStatus();
}

void UnblockKickSignal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGRTMIN);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

void SendKickSignal(pid_t thread) { syscall(SYS_tgkill, getpid(), thread, SIGRTMIN); }

}  // namespace vmm
