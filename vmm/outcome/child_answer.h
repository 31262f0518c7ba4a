// Work on untrusted input in a child process: whatever becomes of the child, the caller goes on.
#ifndef VMM_OUTCOME_CHILD_ANSWER_H_
#define VMM_OUTCOME_CHILD_ANSWER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace vmm {

struct ChildLimits {
  int cpu_seconds = 5;
  absl::Duration wait = absl::Seconds(10);  // from the fork to the answer, on a busy host
  uint64_t memory = 512 << 20;              // bytes of address space beyond what the caller has
  size_t answer = 4 << 20;                  // bytes
};

// What the child needs beside memory.
struct ChildStart {
  std::function<void()> prepare;  // is called in the child before it is confined; empty: nothing is
  std::vector<int> inputs;        // descriptors that `work` reads
};

// Forks, calls `work` in the child and returns its text. `work` sees a copy of the caller's memory, and MAP_SHARED
// memory itself; it must not wait for another thread, because the child has none. A stop signal ends the child when
// `stop_fd` becomes readable; -1: none does. Nothing is read from `stop_fd`.
//
// While `work` runs, the child has no open descriptors but `start.inputs` and the one for its answer, and only the
// system calls of ParserKind::kMemory (sandbox/parser_calls.h). In builds with a sanitizer it has all.
//
// Errors, each for people: DeadlineExceeded, ResourceExhausted (memory, or a longer answer), Cancelled (stop_fd),
// Internal (the child crashed, or made another system call), Unavailable (there was no child).
absl::StatusOr<std::string> AskChild(const std::function<std::string()>& work, const ChildLimits& limits, int stop_fd,
                                     const ChildStart& start = {});

}  // namespace vmm

#endif  // VMM_OUTCOME_CHILD_ANSWER_H_
