#include "vmm/batch/batch_command.h"

#include <fcntl.h>
#include <sched.h>

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_format.h"
#include "base/input_file.h"
#include "base/log.h"
#include "base/status.h"
#include "base/unique_fd.h"
#include "vmm/batch/run_batch.h"
#include "vmm/batch/summary.h"
#include "vmm/cli/flag_values.h"
#include "vmm/ktap/trim.h"
#include "vmm/outcome/exit_code.h"
#include "vmm/run/stop_signals.h"

namespace vmm {
namespace {

constexpr uint64_t kMostFile = 64u << 20;

constexpr std::string_view kHelp =
    "vmm batch runs many guests, each in a vmm of its own, as many at once as fit.\n"
    "\n"
    "  vmm batch FILE [--results=DIR]\n"
    "  vmm batch --merge DIR... --results=DIR\n"
    "\n"
    "A line of FILE is NAME: FLAGS..., and FLAGS are those of vmm. Flags on a line *: are\n"
    "for all runs after it. Lines that begin with # are comments.\n"
    "Exit status: 0 all passed, 1 some did not, 125 the batch could not be run.\n"
    "\n"
    "  --results=DIR               a folder for each run, batch.json, junit.xml and\n"
    "                              summary.html [batch-results]\n"
    "  --jobs=N                    guests at once, whatever their --cpus [as many as\n"
    "                              the CPUs of this machine, cgroup or Slurm job hold]\n"
    "  --memory-budget=SIZE        for all guests at once [what is available to us]\n"
    "  --timeout=TIME              --timeout of the runs that have none\n"
    "  --shard=I/N                 only part I of N, from 0; the others stay listed\n"
    "                              [TEST_SHARD_INDEX/TEST_TOTAL_SHARDS]\n"
    "  --retries=N                 try a run again whose test failed or timed out; one\n"
    "                              whose kernel died is never tried again [0]\n"
    "  --resume                    leave out the runs that have ended already\n"
    "  --merge                     make one summary of the results of several shards\n"
    "  --help                      this text\n";

absl::Status Bad(std::string message) { return absl::InvalidArgumentError(message); }

absl::Status TakeFlag(const std::string& name, const std::string& value, BatchWords& words) {
  const auto number = [&](int least, int& out) {
    if (ReadNumber(value, out) && out >= least) return absl::OkStatus();
    return Bad(absl::StrFormat("must be a number from %d on", least));
  };
  if (name == "results") {
    if (value.empty()) return Bad("a directory must follow");
    words.results = value;
    while (words.results.size() > 1 && words.results.back() == '/') words.results.pop_back();
  } else if (name == "jobs") {
    return number(1, words.jobs.emplace());
  } else if (name == "retries") {
    return number(0, words.retries);
  } else if (name == "memory-budget") {
    ASSIGN_OR_RETURN(words.memory_budget, ParseSize(value));
  } else if (name == "timeout") {
    RETURN_IF_ERROR(ParseDuration(value, /*allow_off=*/true).status());
    words.timeout = value;
  } else if (name == "shard") {
    ASSIGN_OR_RETURN(words.shard, ParseShard(value));
  } else {
    return Bad("no such flag; see vmm batch --help");
  }
  return absl::OkStatus();
}

absl::StatusOr<BatchEnd> RunFile(const BatchWords& words, int signal_fd) {
  const std::string& path = words.paths.front();
  BatchConfig config{.file = path,
                     .results_dir = words.results,
                     .timeout = words.timeout,
                     .retries = words.retries,
                     .resume = words.resume};
  ASSIGN_OR_RETURN(const std::string text, Annotate(ReadSmallInput(path, kMostFile), path));
  ASSIGN_OR_RETURN(config.runs, Annotate(ParseBatchFile(text), path));
  ASSIGN_OR_RETURN(const std::optional<Shard> shard, ShardFromEnvironment(std::getenv));
  if (const char* const status_file = std::getenv("TEST_SHARD_STATUS_FILE");
      status_file != nullptr && shard.has_value()) {
    const UniqueFd touched(open(status_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));  // tells Bazel that we shard
  }
  config.shard = words.shard.has_value() ? *words.shard : shard.value_or(Shard{});
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  const int online = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
  config.budget = BudgetOfHost("", online, std::getenv);
  if (words.memory_budget.has_value()) config.budget.memory_bytes = *words.memory_budget;
  if (words.jobs.has_value()) {
    config.budget.jobs = *words.jobs;
    config.budget.cpus = std::numeric_limits<int>::max() / 2;
  }
  return RunBatch(config, signal_fd);
}

absl::StatusOr<BatchEnd> Merge(const BatchWords& words) {
  std::vector<std::string> warnings;
  ASSIGN_OR_RETURN(BatchResults results, MergeResults(words.paths, words.results, warnings));
  for (const std::string& warning : warnings) LogWarning("batch: " + warning);
  RETURN_IF_ERROR(MakeDirectories(words.results));
  RETURN_IF_ERROR(WriteResults(words.results, results));
  return BatchEnd{.results = std::move(results)};
}

int ExitCodeOf(const BatchEnd& end) {
  if (end.signal != 0) return kExitSignalBase + end.signal;
  return end.results.AllPassed() ? 0 : 1;
}

}  // namespace

absl::StatusOr<BatchWords> ParseBatchWords(const std::vector<std::string>& args) {
  BatchWords words;
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string& arg = args[i];
    if (!arg.starts_with("-") || arg == "-") {
      words.paths.push_back(arg);
    } else if (arg == "--help") {
      words.help = true;
    } else if (arg == "--merge") {
      words.merge = true;
    } else if (arg == "--resume") {
      words.resume = true;
    } else {
      const size_t equals = arg.find('=');
      if (!arg.starts_with("--")) return Bad(arg + ": no such flag; see vmm batch --help");
      if (equals == std::string::npos && i + 1 == args.size()) return Bad(arg + ": a value must follow");
      const std::string value = equals == std::string::npos ? args[++i] : arg.substr(equals + 1);
      const std::string name = arg.substr(2, equals == std::string::npos ? equals : equals - 2);
      RETURN_IF_ERROR(Annotate(TakeFlag(name, value, words), absl::StrFormat("--%s=%s", name, value)));
    }
  }
  if (words.help) return words;
  if (words.paths.empty())
    return Bad(words.merge ? "--merge: the shards' directories must follow" : "a FILE is needed; see vmm batch --help");
  if (!words.merge && words.paths.size() > 1) return Bad(words.paths[1] + ": one FILE at a time");
  if (words.merge && (words.resume || words.shard.has_value()))
    return Bad("--merge runs nothing: not with --resume or --shard");
  return words;
}

int BatchCommand(const std::vector<std::string>& args) {
  const absl::StatusOr<BatchWords> words = ParseBatchWords(args);
  if (words.ok() && words->help) {
    std::fputs(std::string(kHelp).c_str(), stdout);
    return std::fflush(stdout) == 0 ? 0 : kExitVmmError;
  }
  const auto carry_out = [&]() -> absl::StatusOr<BatchEnd> {
    RETURN_IF_ERROR(words.status());
    ASSIGN_OR_RETURN(const std::unique_ptr<StopSignals> signals, StopSignals::Block());
    return words->merge ? Merge(*words) : RunFile(*words, signals->fd());
  };
  const absl::StatusOr<BatchEnd> end = carry_out();
  if (!end.ok()) {
    LogInfo(absl::StrFormat("batch: %s [exit %d]", std::string(end.status().message()), int{kExitVmmError}));
    return kExitVmmError;
  }
  LogInfo(absl::StrFormat("batch: %s; %s/summary.html [exit %d]", BatchLine(end->results), words->results,
                          ExitCodeOf(*end)));
  return ExitCodeOf(*end);
}

}  // namespace vmm
