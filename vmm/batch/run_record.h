// How one run of a batch ended: what the summary shows, and what a later --resume or --merge reads.
#ifndef VMM_BATCH_RUN_RECORD_H_
#define VMM_BATCH_RUN_RECORD_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace vmm {

struct RunRecord {
  enum class State { kNotRun, kPassed, kFailed };

  std::string name;
  std::vector<std::string> args;  // of the run, as the file has them
  State state = State::kNotRun;
  std::string outcome;    // of its result.json: "panic", "guest-exit"; "vmm-error" if there is none
  int exit_code = -1;     // of its vmm; 128 + n if signal n killed that
  std::string summary;    // its last line, or why it was not run
  std::string signature;  // the same for the same death; empty: none
  std::string message;    // the kernel's own words at its death
  std::string dump;       // the path of the vmcore; empty: none
  double seconds = 0;
  std::vector<std::string> earlier_tries;  // their summaries, with --retries
  std::string folder;                      // its files, as seen from the summary; empty: none

  bool died() const;  // the guest's kernel or vmm ended, not the test: never retried
};

std::string_view StateName(RunRecord::State state);  // "passed", "failed", "not run"

// `wait_status` is waitpid(2)'s, `result_json` the text of the run's record: empty if there is none, and not trusted.
// A run has passed if vmm exited with 0, its record agrees, and none of its subtests failed.
RunRecord RecordOf(const std::string& name, const std::vector<std::string>& args, int wait_status,
                   std::string_view result_json);

nlohmann::ordered_json RecordJson(const RunRecord& record);

// The inverse. InvalidArgument if `json` is no record, or its name could not be a run's.
absl::StatusOr<RunRecord> RecordFromJson(const nlohmann::ordered_json& json);

// Of two records of one run that two shards have, the worse: a retry elsewhere hides no failure.
const RunRecord& Worse(const RunRecord& a, const RunRecord& b);

}  // namespace vmm

#endif  // VMM_BATCH_RUN_RECORD_H_
