// `vmm batch`: its words, from argv to an exit code.
#ifndef VMM_BATCH_BATCH_COMMAND_H_
#define VMM_BATCH_BATCH_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "vmm/batch/shard.h"

namespace vmm {

struct BatchWords {
  bool help = false;
  bool merge = false;
  std::vector<std::string> paths;  // FILE, or with --merge DIR...
  std::string results = "batch-results";
  std::optional<Shard> shard;
  std::optional<int> jobs;
  std::optional<uint64_t> memory_budget;  // bytes
  std::optional<std::string> timeout;
  int retries = 0;
  bool resume = false;
};

// `words` are those after "batch". InvalidArgument names the wrong one.
absl::StatusOr<BatchWords> ParseBatchWords(const std::vector<std::string>& words);

// Returns 0 only if all runs of the shard (of all shards, with --merge) passed; 1 if not; 125 if the batch could not be
// run or its results not written; 128 + n if signal n ended it. REQUIRES: the process has one thread.
int BatchCommand(const std::vector<std::string>& words);

}  // namespace vmm

#endif  // VMM_BATCH_BATCH_COMMAND_H_
