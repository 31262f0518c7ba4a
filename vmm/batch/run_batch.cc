#include "vmm/batch/run_batch.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <list>
#include <unordered_map>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/input_file.h"
#include "base/log.h"
#include "base/status.h"
#include "vmm/batch/child.h"
#include "vmm/batch/live_table.h"
#include "vmm/cli/flag_values.h"

namespace vmm {
namespace {

using State = RunRecord::State;

constexpr uint64_t kMostRecord = 64u << 20;
// A vmm that has not ended so long after its own --timeout, with a dump to write, is stuck.
constexpr absl::Duration kStuckAfter = absl::Minutes(15);
// From SIGTERM to SIGKILL. A dump is written meanwhile.
constexpr absl::Duration kGrace = absl::Minutes(2);

std::string ReadRecord(const std::string& path) {
  const auto file = InputFile::Open(path, {.most = kMostRecord});
  if (!file.ok()) return "";
  auto text = file->ReadAll();
  return text.ok() ? *std::move(text) : "";
}

class Runner {
 public:
  Runner(const BatchConfig& config, int signal_fd) : config_(config), signal_fd_(signal_fd) {}

  absl::StatusOr<BatchEnd> Run() {
    RETURN_IF_ERROR(CheckBudget());
    RETURN_IF_ERROR(MakeDirectories(config_.results_dir + "/runs"));
    RETURN_IF_ERROR(Prepare());
    RETURN_IF_ERROR(WriteResults(config_.results_dir, results_));  // the whole list, before anything can go wrong
    while (!running_.empty() || (signal_ == 0 && next_ < waiting_.size())) {
      if (signal_ == 0) StartWhatFits();
      table_.Draw(Status());
      Wait();
    }
    table_.Clear();
    for (size_t i = next_; i < waiting_.size(); ++i) {
      RunRecord& left = results_.runs[waiting_[i]];
      if (!left.earlier_tries.empty())
        left.state = State::kFailed;  // it was to be tried again
      else
        left.summary = "not run: the batch was interrupted";
    }
    results_.interrupted = signal_ != 0;
    results_.seconds = absl::ToDoubleSeconds(absl::Now() - start_);
    RETURN_IF_ERROR(WriteResults(config_.results_dir, results_));
    RETURN_IF_ERROR(error_);
    return BatchEnd{.results = std::move(results_), .signal = signal_};
  }

 private:
  struct Running {
    size_t index;  // in runs
    Child child;
    std::string folder;
    absl::Time stuck_at;
    bool stuck = false;
  };

  int CpusOf(const BatchRun& run) const { return std::min(run.cpus, config_.budget.cpus); }
  static uint64_t MemoryOf(const BatchRun& run) { return run.memory_bytes + kRunOverhead; }

  absl::Status CheckBudget() const {
    for (const BatchRun& run : config_.runs) {
      if (MemoryOf(run) <= config_.budget.memory_bytes || !InShard(run.name, config_.shard)) continue;
      return absl::ResourceExhaustedError(absl::StrFormat(
          "%s needs %d MiB (--memory, and %d MiB for vmm itself); the budget is %d MiB: lower its --memory, or set "
          "--memory-budget",
          run.name, MemoryOf(run) >> 20, kRunOverhead >> 20, config_.budget.memory_bytes >> 20));
    }
    return absl::OkStatus();
  }

  absl::Status Prepare() {
    results_ = {.file = config_.file, .shard = config_.shard};
    std::unordered_map<std::string, RunRecord> old;
    const absl::StatusOr<BatchResults> found = ReadResults(config_.results_dir);
    if (found.ok() && !config_.resume) {
      return absl::AlreadyExistsError(absl::StrFormat(
          "%s has the results of a batch: use --resume to go on with it, or another --results", config_.results_dir));
    }
    if (found.ok()) {
      for (const RunRecord& run : found->runs) old.emplace(run.name, run);
    } else if (!absl::IsNotFound(found.status())) {
      return found.status();
    }
    for (size_t i = 0; i < config_.runs.size(); ++i) {
      const BatchRun& run = config_.runs[i];
      results_.runs.push_back({.name = run.name, .args = run.args});
      if (!InShard(run.name, config_.shard)) continue;
      const auto before = old.find(run.name);
      if (before != old.end() && before->second.state != State::kNotRun && before->second.args == run.args) {
        results_.runs.back() = before->second;
        ++ended_;
        continue;
      }
      waiting_.push_back(i);
    }
    total_ = ended_ + waiting_.size();
    return absl::OkStatus();
  }

  // A run that does not fit waits, and those after it too: a large one is not starved by small ones.
  void StartWhatFits() {
    while (next_ < waiting_.size()) {
      const size_t index = waiting_[next_];
      const BatchRun& run = config_.runs[index];
      const bool alone = running_.empty();
      const bool fits = cpus_ + CpusOf(run) <= config_.budget.cpus &&
                        memory_ + MemoryOf(run) <= config_.budget.memory_bytes &&
                        running_.size() < static_cast<size_t>(config_.budget.jobs);
      if (!fits && !alone) return;
      ++next_;
      Start(index);
    }
  }

  void Start(size_t index) {
    const BatchRun& run = config_.runs[index];
    RunRecord& record = results_.runs[index];
    std::string folder = RunFolder(config_.results_dir, run.name);
    if (!record.earlier_tries.empty()) folder += absl::StrFormat("/try-%d", record.earlier_tries.size() + 1);
    const auto start = [&]() -> absl::StatusOr<Child> {
      RETURN_IF_ERROR(MakeDirectories(folder));
      unlink((folder + "/result.json").c_str());  // of an earlier time
      return Child::Start(config_.program, ArgumentsOf(run, folder, config_.timeout), folder);
    };
    absl::StatusOr<Child> child = start();
    if (!child.ok()) {
      record.state = State::kFailed;
      record.outcome = "vmm-error";
      record.summary = std::string(child.status().message());
      return Tell(record);
    }
    absl::Time stuck_at = absl::InfiniteFuture();
    if (const auto text = run.timeout.has_value() ? run.timeout : config_.timeout; text.has_value()) {
      const auto timeout = ParseDuration(*text, /*allow_off=*/true);
      if (timeout.ok()) stuck_at = absl::Now() + *timeout + kStuckAfter;
    }
    cpus_ += CpusOf(run);
    memory_ += MemoryOf(run);
    running_.push_back({index, *std::move(child), folder, stuck_at});
  }

  // Until a run ends, a signal comes, or the table is old.
  void Wait() {
    std::vector<pollfd> fds = {{signal_fd_, POLLIN, 0}};
    for (const Running& running : running_) fds.push_back({running.child.fd(), POLLIN, 0});
    poll(fds.data(), fds.size(), table_.live() ? 250 : 1000);
    if (fds[0].revents != 0) TakeSignal();
    const absl::Time now = absl::Now();
    if (now >= kill_at_) {
      for (const Running& running : running_) running.child.Signal(SIGKILL);
    }
    for (auto running = running_.begin(); running != running_.end();) {
      const std::optional<int> status = running->child.Ended();
      if (!status.has_value()) {
        if (now >= running->stuck_at && !running->stuck) {
          running->stuck = true;
          running->child.Signal(SIGKILL);
        }
        ++running;
        continue;
      }
      const Running ended = std::move(*running);
      running = running_.erase(running);
      End(ended, *status);
    }
  }

  void TakeSignal() {
    signalfd_siginfo info = {};
    if (read(signal_fd_, &info, sizeof(info)) != sizeof(info)) return;
    if (signal_ == 0) {
      signal_ = static_cast<int>(info.ssi_signo);
      table_.Clear();
      LogInfo(absl::StrFormat("batch: stopping %d runs; a second signal kills them", running_.size()));
      kill_at_ = absl::Now() + kGrace;
      for (const Running& running : running_) running.child.Signal(SIGTERM);
    } else {
      kill_at_ = absl::Now();
    }
  }

  void End(const Running& ended, int status) {
    const BatchRun& run = config_.runs[ended.index];
    cpus_ -= CpusOf(run);
    memory_ -= MemoryOf(run);
    RunRecord record = RecordOf(run.name, run.args, status, ReadRecord(ended.folder + "/result.json"));
    record.seconds = absl::ToDoubleSeconds(absl::Now() - ended.child.started());
    record.earlier_tries = results_.runs[ended.index].earlier_tries;
    if (ended.stuck)
      record.summary =
          absl::StrFormat("vmm did not end %s after its --timeout; killed", absl::FormatDuration(kStuckAfter));
    // A run that we stopped has no verdict. One that died of itself just then has one.
    if (signal_ != 0 && record.state == State::kFailed &&
        (record.outcome == "interrupted" || WTERMSIG(status) == SIGKILL)) {
      record.state = State::kNotRun;
      record.summary = "not run to its end: the batch was interrupted";
    }
    const bool again = record.state == State::kFailed && !record.died() && signal_ == 0 &&
                       record.earlier_tries.size() < static_cast<size_t>(config_.retries);
    results_.runs[ended.index] = record;
    if (again) {
      LogInfo(absl::StrFormat("%s: %s; trying again", record.name, record.summary));
      results_.runs[ended.index].state = State::kNotRun;
      results_.runs[ended.index].earlier_tries.push_back(record.summary);
      waiting_.push_back(ended.index);
      return;
    }
    Tell(record);
  }

  void Tell(const RunRecord& record) {
    ++ended_;
    if (record.state != State::kNotRun) {
      const absl::Status written = WriteRunRecord(config_.results_dir, record);
      if (error_.ok()) error_ = written;
    }
    table_.Clear();
    LogInfo(absl::StrFormat("[%d/%d] %s: %s in %.1f s%s%s", ended_, total_, record.name, StateName(record.state),
                            record.seconds, record.state == State::kPassed ? "" : ": ",
                            record.state == State::kPassed ? "" : record.summary));
  }

  TableStatus Status() const {
    TableStatus status{.ended = ended_, .total = total_, .failed = static_cast<size_t>(results_.Count(State::kFailed))};
    for (const Running& running : running_) {
      status.running.push_back({config_.runs[running.index].name, absl::Now() - running.child.started()});
    }
    return status;
  }

  const BatchConfig& config_;
  const int signal_fd_;
  const absl::Time start_ = absl::Now();
  BatchResults results_;
  std::vector<size_t> waiting_;  // indexes of runs; those from next_ on are still to be started
  size_t next_ = 0;
  size_t ended_ = 0;
  size_t total_ = 0;
  std::list<Running> running_;
  int cpus_ = 0;  // in use
  uint64_t memory_ = 0;
  int signal_ = 0;
  absl::Time kill_at_ = absl::InfiniteFuture();
  absl::Status error_;  // the first run.json that could not be written
  LiveTable table_;
};

}  // namespace

std::vector<std::string> ArgumentsOf(const BatchRun& run, const std::string& folder,
                                     const std::optional<std::string>& timeout) {
  std::vector<std::string> args = {"--result=" + folder + "/result.json"};
  const bool has_place = FlagIn(run.args, "dump-dir").has_value() || FlagIn(run.args, "dump-once").has_value() ||
                         FlagIn(run.args, "dump").has_value();
  if (!has_place) args.push_back("--dump-dir=" + folder);
  if (!run.timeout.has_value() && timeout.has_value()) args.push_back("--timeout=" + *timeout);
  args.insert(args.end(), run.args.begin(), run.args.end());
  return args;
}

absl::StatusOr<BatchEnd> RunBatch(const BatchConfig& config, int signal_fd) { return Runner(config, signal_fd).Run(); }

}  // namespace vmm
