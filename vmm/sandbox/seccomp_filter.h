// A seccomp filter for one kind of thread: compiled once by libseccomp, then installed by each such thread.
#ifndef VMM_SANDBOX_SECCOMP_FILTER_H_
#define VMM_SANDBOX_SECCOMP_FILTER_H_

#include <linux/filter.h>

#include <vector>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "vmm/sandbox/sandbox_mode.h"
#include "vmm/sandbox/system_calls.h"

namespace vmm {

class SeccompFilter {
 public:
  // What happens at a call that is not allowed follows from `mode`, which is not kOff.
  static absl::StatusOr<SeccompFilter> Compile(ThreadKind kind, SandboxMode mode);

  // Confines the calling thread and the threads that it starts, for as long as they live. Needs no_new_privs. Makes one
  // system call and allocates nothing.
  absl::Status InstallOnThisThread() const;

  // Confines the other threads that run now, too. Only the first filter of a process can be installed so.
  absl::Status InstallOnAllThreads() const;

  // For SandboxMode::kLog: the same, and returns a descriptor that tells of the calls that are not allowed
  // (seccomp_unotify(2)). A thread can have one such filter: its calls are judged by that of its kind alone.
  absl::StatusOr<UniqueFd> InstallWithListener() const;

 private:
  explicit SeccompFilter(std::vector<sock_filter> program) : program_(std::move(program)) {}
  absl::StatusOr<int> Install(unsigned flags) const;

  std::vector<sock_filter> program_;
};

}  // namespace vmm

#endif  // VMM_SANDBOX_SECCOMP_FILTER_H_
