#include "vmm/batch/results.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <unordered_map>

#include "absl/strings/str_format.h"
#include "base/input_file.h"
#include "base/json_text.h"
#include "base/output_dir.h"
#include "base/replaced_file.h"
#include "base/status.h"
#include "vmm/batch/batch_file.h"
#include "vmm/batch/summary.h"

namespace vmm {
namespace {

using nlohmann::ordered_json;
using State = RunRecord::State;

constexpr int kSchemaVersion = 1;
constexpr uint64_t kMostJson = 256u << 20;

absl::StatusOr<ordered_json> ReadJson(const std::string& path) {
  ASSIGN_OR_RETURN(const InputFile file, InputFile::Open(path, {.most = kMostJson}));
  ASSIGN_OR_RETURN(const std::string text, file.ReadAll());
  ordered_json json = ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return absl::InvalidArgumentError("not a JSON object");
  return json;
}

}  // namespace

int BatchResults::Count(State state) const {
  return static_cast<int>(
      std::count_if(runs.begin(), runs.end(), [&](const RunRecord& run) { return run.state == state; }));
}

bool BatchResults::AllPassed() const {
  return std::all_of(runs.begin(), runs.end(), [&](const RunRecord& run) {
    return run.state == State::kPassed || (run.state == State::kNotRun && !InShard(run.name, shard));
  });
}

std::string RunFolder(const std::string& dir, const std::string& name) { return dir + "/runs/" + name; }

absl::Status MakeDirectories(const std::string& path) {
  for (size_t at = 1; at <= path.size(); ++at) {
    if (at < path.size() && path[at] != '/') continue;
    const std::string part = path.substr(0, at);
    if (mkdir(part.c_str(), 0777) != 0 && errno != EEXIST) return ErrnoStatus(errno, "mkdir " + part);
  }
  return absl::OkStatus();
}

absl::Status WriteText(const std::string& directory, const std::string& name, const std::string& text) {
  const auto write = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(OutputDir dir, OutputDir::Open(directory));
    ASSIGN_OR_RETURN(const std::unique_ptr<ReplacedFile> file, ReplacedFile::Create(std::move(dir), name));
    return file->Commit(text);
  };
  return Annotate(write(), directory + "/" + name);
}

absl::Status WriteResults(const std::string& dir, const BatchResults& results) {
  ordered_json runs = ordered_json::array();
  for (const RunRecord& run : results.runs) runs.push_back(RecordJson(run));
  const ordered_json json = {{"schema_version", kSchemaVersion},
                             {"file", results.file},
                             {"shard", {{"index", results.shard.index}, {"count", results.shard.count}}},
                             {"interrupted", results.interrupted},
                             {"seconds", results.seconds},
                             {"total", results.runs.size()},
                             {"passed", results.Count(State::kPassed)},
                             {"failed", results.Count(State::kFailed)},
                             {"not_run", results.Count(State::kNotRun)},
                             {"runs", runs}};
  RETURN_IF_ERROR(WriteText(dir, "batch.json", JsonText(json, 1) + "\n"));
  RETURN_IF_ERROR(WriteText(dir, "junit.xml", BatchJunit(results)));
  return WriteText(dir, "summary.html", BatchHtml(results));
}

absl::Status WriteRunRecord(const std::string& dir, const RunRecord& record) {
  return WriteText(RunFolder(dir, record.name), "run.json", JsonText(RecordJson(record), 1) + "\n");
}

absl::StatusOr<BatchResults> ReadResults(const std::string& dir) {
  const std::string path = dir + "/batch.json";
  ASSIGN_OR_RETURN(const ordered_json json, Annotate(ReadJson(path), path));
  const auto runs = json.find("runs");
  if (runs == json.end() || !runs->is_array()) return absl::InvalidArgumentError(path + ": no runs");
  BatchResults results;
  if (const auto file = json.find("file"); file != json.end() && file->is_string()) results.file = *file;
  for (const ordered_json& item : *runs) {
    ASSIGN_OR_RETURN(RunRecord run, Annotate(RecordFromJson(item), path));
    const auto newer = ReadJson(RunFolder(dir, run.name) + "/run.json");
    if (newer.ok()) {
      if (auto record = RecordFromJson(*newer); record.ok() && record->name == run.name) run = *std::move(record);
    }
    results.runs.push_back(std::move(run));
  }
  return results;
}

absl::StatusOr<BatchResults> MergeResults(const std::vector<std::string>& dirs, const std::string& out,
                                          std::vector<std::string>& warnings) {
  BatchResults merged;
  std::unordered_map<std::string, size_t> index;
  size_t read = 0;
  for (const std::string& dir : dirs) {
    const absl::StatusOr<BatchResults> results = ReadResults(dir);
    if (!results.ok()) {
      warnings.push_back(std::string(results.status().message()));
      continue;
    }
    ++read;
    if (merged.file.empty()) merged.file = results->file;
    for (RunRecord run : results->runs) {
      if (run.state != State::kNotRun) {
        std::error_code error;
        const auto folder = std::filesystem::proximate(RunFolder(dir, run.name), out, error);
        run.folder = error ? RunFolder(dir, run.name) : folder.string();
      }
      const auto [place, is_new] = index.emplace(run.name, merged.runs.size());
      if (is_new) {
        merged.runs.push_back(std::move(run));
        continue;
      }
      RunRecord& other = merged.runs[place->second];
      if (run.state != State::kNotRun && other.state != State::kNotRun) {
        warnings.push_back(absl::StrFormat("%s: two of the directories have it; the worse result counts", run.name));
      }
      other = RunRecord(Worse(other, run));
    }
  }
  if (read == 0) return absl::NotFoundError("none of the directories has a batch.json");
  return merged;
}

}  // namespace vmm
