// The results of the guest's tests, seen together with the end of its run.
#ifndef VMM_OUTCOME_TEST_RESULTS_H_
#define VMM_OUTCOME_TEST_RESULTS_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "base/result_file.h"
#include "vmm/config/vm_config.h"
#include "vmm/ktap/ktap_parser.h"
#include "vmm/outcome/run_outcome.h"

namespace vmm {

// What the running test died of; nothing if the guest ended by itself: power-off or a status.
std::optional<GuestDeath> DeathOf(const RunOutcome& outcome);

// A status that says "failed" although no result does becomes a failure of its own, so that no reader of the results
// takes the run for a pass. 4 with a stream that was skipped is no failure: it is kselftest's status for that.
void AddStatus(const RunOutcome& outcome, ResultTree& tests);

// The files of --ktap and --junit. Used by one thread.
class TestFiles {
 public:
  // Opened before the guest runs, as base/result_file.h says. Errors name the flag.
  static absl::StatusOr<TestFiles> Open(const VmConfig& config);

  // Writes what `outcome` has; if it has no results, because there was no run, the reason is written as an error.
  // `stop_fd` as for ResultFile::Write().
  absl::Status Write(const VmConfig& config, const RunOutcome& outcome, int stop_fd);

 private:
  std::unique_ptr<ResultFile> ktap_, junit_;  // null without the flag
};

}  // namespace vmm

#endif  // VMM_OUTCOME_TEST_RESULTS_H_
