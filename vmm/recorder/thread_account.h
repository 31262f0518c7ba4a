// The host scheduler's account of one of our threads.
#ifndef VMM_RECORDER_THREAD_ACCOUNT_H_
#define VMM_RECORDER_THREAD_ACCOUNT_H_

#include <sys/types.h>

#include "absl/time/time.h"
#include "base/unique_fd.h"

namespace vmm {

struct ThreadAccount {
  absl::Duration ran;     // time on a CPU
  absl::Duration waited;  // time in the run queue, waiting for a CPU
};

// The account of thread `tid` of this process. Zeros if the thread has ended or the kernel keeps no account
// (CONFIG_SCHED_INFO). Source: /proc/PID/task/TID/schedstat, Documentation/scheduler/sched-stats.rst.
ThreadAccount ReadThreadAccount(pid_t tid);

// The same of the calling thread, from a file that is opened once: a thread that may open nothing any more can still
// read it.
class OwnThreadAccount {
 public:
  void Open();
  ThreadAccount Read() const;

 private:
  UniqueFd fd_;
};

}  // namespace vmm

#endif  // VMM_RECORDER_THREAD_ACCOUNT_H_
