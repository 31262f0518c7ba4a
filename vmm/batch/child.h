// A vmm of its own for one run of a batch.
#ifndef VMM_BATCH_CHILD_H_
#define VMM_BATCH_CHILD_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"

namespace vmm {

// Used by one thread. Killed with this object if it still runs.
class Child {
 public:
  // Starts `program` with `args`: its standard input is /dev/null, its output goes to console.log and stderr.log in
  // `folder`, and it is in a process group of its own, so Ctrl-C on a terminal reaches us alone. It gets SIGTERM if we
  // die. REQUIRES: the process has one thread.
  static absl::StatusOr<Child> Start(const std::string& program, const std::vector<std::string>& args,
                                     const std::string& folder);

  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child();

  int fd() const { return pidfd_.get(); }  // readable once it has ended
  absl::Time started() const { return started_; }
  void Signal(int signal) const;

  // waitpid(2)'s status once it has ended; nothing before.
  std::optional<int> Ended();

 private:
  Child(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)), started_(absl::Now()) {}

  pid_t pid_;  // -1: waited for
  UniqueFd pidfd_;
  absl::Time started_;
};

}  // namespace vmm

#endif  // VMM_BATCH_CHILD_H_
