// A batch's folder of results:
//
//   DIR/batch.json            all runs of the file, also those of other shards, each with its state
//   DIR/summary.html, DIR/junit.xml
//   DIR/runs/NAME/            a run's record (result.json), console.log, stderr.log and vmcore
//   DIR/runs/NAME/run.json    its line of batch.json, as soon as it has ended
//
// So a batch that is killed leaves what had ended, and the list says what is missing.
#ifndef VMM_BATCH_RESULTS_H_
#define VMM_BATCH_RESULTS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vmm/batch/run_record.h"
#include "vmm/batch/shard.h"

namespace vmm {

struct BatchResults {
  std::string file;  // the batch's file, for people
  Shard shard;
  bool interrupted = false;
  double seconds = 0;
  std::vector<RunRecord> runs;  // in the file's order, whatever their shard

  int Count(RunRecord::State state) const;
  // Of the runs of `shard`.
  bool AllPassed() const;
};

// "DIR/runs/NAME".
std::string RunFolder(const std::string& dir, const std::string& name);

// Makes the directory and those above it. An existing one is fine.
absl::Status MakeDirectories(const std::string& path);

// Replaces the file as a whole.
absl::Status WriteText(const std::string& directory, const std::string& name, const std::string& text);

// batch.json, junit.xml and summary.html.
absl::Status WriteResults(const std::string& dir, const BatchResults& results);
absl::Status WriteRunRecord(const std::string& dir, const RunRecord& record);

// batch.json, with what each run.json says. NotFound if there is no batch.json. Files are not trusted.
absl::StatusOr<BatchResults> ReadResults(const std::string& dir);

// The results of several shards as one. Every run that any of them lists is in it; one that no shard has run is "not
// run". Folders are as seen from `out`. `warnings`: directories that cannot be read, runs that two shards have.
absl::StatusOr<BatchResults> MergeResults(const std::vector<std::string>& dirs, const std::string& out,
                                          std::vector<std::string>& warnings);

}  // namespace vmm

#endif  // VMM_BATCH_RESULTS_H_
