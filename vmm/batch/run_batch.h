// Runs the runs of a batch: as many at once as the budget allows, in the file's order.
#ifndef VMM_BATCH_RUN_BATCH_H_
#define VMM_BATCH_RUN_BATCH_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vmm/batch/batch_file.h"
#include "vmm/batch/budget.h"
#include "vmm/batch/results.h"

namespace vmm {

struct BatchConfig {
  std::string program = "/proc/self/exe";  // the vmm; a test names another
  std::string file;                        // for people
  std::string results_dir;
  std::vector<BatchRun> runs;
  Shard shard;
  HostBudget budget;
  std::optional<std::string> timeout;  // --timeout of the runs that have none
  int retries = 0;                     // of a run that failed; one that died is never tried again
  bool resume = false;                 // leave out what has ended already, with the same flags
};

struct BatchEnd {
  BatchResults results;
  int signal = 0;  // that ended it early; 0: none
};

// The caller must block the signals that end it and pass a descriptor of a signalfd (vmm/run/stop_signals.h); -1: none.
// At a signal the runs get SIGTERM, by which vmm ends with a record, and what has not ended is "not run". Each run that
// ends leaves run.json. An error is one of the folder or of the budget; a run that cannot be started is a failed one.
// REQUIRES: the process has one thread.
absl::StatusOr<BatchEnd> RunBatch(const BatchConfig& config, int signal_fd);

// The arguments of a run's vmm: the flags that the batch gives it first, so that the run's own are the last word.
std::vector<std::string> ArgumentsOf(const BatchRun& run, const std::string& folder,
                                     const std::optional<std::string>& timeout);

}  // namespace vmm

#endif  // VMM_BATCH_RUN_BATCH_H_
