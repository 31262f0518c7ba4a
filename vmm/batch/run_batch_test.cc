// Batches with a shell script in vmm's place: it leaves the records and statuses that a vmm would.
#include "vmm/batch/run_batch.h"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_format.h"
#include "base/log.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vmm/batch/batch_command.h"
#include "vmm/batch/live_table.h"
#include "vmm/batch/summary.h"
#include "vmm/run/stop_signals.h"

namespace vmm {
namespace {

using State = RunRecord::State;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kFakeVmm = R"(#!/bin/sh
for word in "$@"; do
  case $word in
    --result=*) result=${word#--result=} ;;
    --act=*) act=${word#--act=} ;;
    --mark=*) mark=${word#--mark=} ;;
  esac
done
end() { echo "{\"outcome\": \"$1\", \"exit_code\": $2, \"summary\": \"$1 [exit $2]\" $3}" > "$result"; exit $2; }
echo "the words: $*"
case $act in
  pass) end power-off 0 ;;
  fail) end guest-exit 3 ;;
  panic) end panic 120 ', "death": {"message": "Fatal <exception>", "signature": "crash-00ff"}, "dump": {"path": "v"}' ;;
  not-ok) end power-off 0 ', "tests": {"passed": false, "failures": [{"name": "sums"}]}' ;;
  lying) echo '{"outcome": "power-off", "exit_code": 7}' > "$result"; exit 0 ;;
  silent) exit 0 ;;
  killed) kill -9 $$ ;;
  second) test -e "$mark" && end power-off 0; touch "$mark"; end guest-exit 3 ;;
  then-panic) test -e "$mark" && end panic 120; touch "$mark"; end guest-exit 3 ;;
  wait) trap 'end interrupted 143' TERM; touch "$mark"; sleep 60 & wait ;;
  alone) mkdir "$mark" || end guest-exit 9; sleep 0.2; rmdir "$mark"; end power-off 0 ;;
esac
)";

class RunBatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(dir_);
    std::filesystem::create_directories(dir_);
    std::ofstream(dir_ + "/vmm") << kFakeVmm;
    chmod((dir_ + "/vmm").c_str(), 0755);
  }

  BatchConfig Config(std::string_view file, int jobs = 4) const {
    const auto runs = ParseBatchFile(file);
    EXPECT_TRUE(runs.ok()) << runs.status();
    return {.program = dir_ + "/vmm",
            .file = "list",
            .results_dir = dir_ + "/results",
            .runs = *runs,
            .budget = {.cpus = 100, .jobs = jobs}};
  }

  static BatchEnd Run(const BatchConfig& config, int signal_fd = -1) {
    absl::StatusOr<BatchEnd> end = RunBatch(config, signal_fd);
    EXPECT_TRUE(end.ok()) << end.status();
    return end.ok() ? *std::move(end) : BatchEnd{};
  }

  std::string Text(const std::string& path) const {
    std::ostringstream text;
    text << std::ifstream(dir_ + "/" + path).rdbuf();
    return text.str();
  }

  const std::string dir_ =
      ::testing::TempDir() + "/run-batch-" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(RunBatchTest, EachEndIsToldAndNoneIsTakenForAPass) {
  const BatchEnd end =
      Run(Config("p: --act=pass\nf: --act=fail\nd: --act=panic\nn: --act=not-ok\nl: --act=lying\ns: --act=silent\nk: "
                 "--act=killed\n"));
  const std::vector<RunRecord>& runs = end.results.runs;
  ASSERT_EQ(runs.size(), 7);
  EXPECT_EQ(runs[0].state, State::kPassed);
  for (size_t i = 1; i < runs.size(); ++i) EXPECT_EQ(runs[i].state, State::kFailed) << runs[i].name;
  EXPECT_EQ(runs[1].exit_code, 3);
  EXPECT_FALSE(runs[1].died());
  EXPECT_EQ(runs[2].signature, "crash-00ff");
  EXPECT_TRUE(runs[2].died());
  EXPECT_EQ(runs[3].summary, "1 tests failed, the first is \"sums\"");
  EXPECT_THAT(runs[4].summary, HasSubstr("no record that agrees"));
  EXPECT_THAT(runs[5].summary, HasSubstr("no record that agrees"));
  EXPECT_THAT(runs[6].summary, HasSubstr("killed by signal 9"));
  EXPECT_FALSE(end.results.AllPassed());
  EXPECT_THAT(
      Text("results/runs/p/console.log"),
      HasSubstr("--result=" + dir_ + "/results/runs/p/result.json --dump-dir=" + dir_ + "/results/runs/p --act=pass"));
  EXPECT_THAT(Text("results/batch.json"), HasSubstr("\"failed\": 6"));
  EXPECT_THAT(Text("results/junit.xml"), HasSubstr("tests=\"7\" failures=\"2\" errors=\"4\" skipped=\"0\""));
  EXPECT_THAT(Text("results/junit.xml"),
              HasSubstr("<error type=\"panic\" message=\"panic [exit 120]\">panic [exit 120]\n"
                        "Fatal &lt;exception&gt;\nsignature: crash-00ff\ndump: v\n</error>"));
  EXPECT_THAT(Text("results/summary.html"), HasSubstr("<b>crash-00ff</b><br><code>Fatal &lt;exception&gt;</code>"));
}

TEST_F(RunBatchTest, TheBudgetHoldsRunsBack) {
  const std::string list = absl::StrFormat("*: --act=alone --mark=%s/mark\na:\nb:\nc:\n", dir_);
  EXPECT_TRUE(Run(Config(list, /*jobs=*/1)).results.AllPassed());
  BatchConfig by_memory = Config(list);
  by_memory.results_dir += "-memory";
  by_memory.budget.memory_bytes = (2ull << 30) + kRunOverhead;  // less than two of 1 GiB and what vmm needs
  EXPECT_TRUE(Run(by_memory).results.AllPassed());
  BatchConfig by_cpus = Config(list);
  by_cpus.results_dir += "-cpus";
  by_cpus.budget.cpus = 1;
  EXPECT_TRUE(Run(by_cpus).results.AllPassed());
  BatchConfig free = Config(list);
  free.results_dir += "-free";
  EXPECT_FALSE(Run(free).results.AllPassed()) << "three at once";
}

TEST_F(RunBatchTest, ARunThatCanNeverFitIsAnErrorBeforeAnyRun) {
  BatchConfig config = Config("a: --act=pass --memory=4G\n");
  config.budget.memory_bytes = 1ull << 30;
  const auto end = RunBatch(config, -1);
  EXPECT_THAT(std::string(end.status().message()), HasSubstr("a needs 4160 MiB"));
  EXPECT_FALSE(std::filesystem::exists(config.results_dir));
}

TEST_F(RunBatchTest, ARetryIsOnlyForTestsAndIsTold) {
  BatchConfig config =
      Config(absl::StrFormat("a: --act=second --mark=%s/a\nb: --act=then-panic --mark=%s/b\n"
                             "c: --act=panic\nd: --act=fail\n",
                             dir_, dir_));
  config.retries = 1;
  const BatchEnd end = Run(config);
  EXPECT_EQ(end.results.runs[0].state, State::kPassed);
  EXPECT_EQ(end.results.runs[0].earlier_tries.size(), 1);
  EXPECT_EQ(end.results.runs[1].outcome, "panic");
  EXPECT_EQ(end.results.runs[2].earlier_tries.size(), 0) << "a panic is not tried again";
  EXPECT_EQ(end.results.runs[3].earlier_tries.size(), 1);
  EXPECT_THAT(BatchLine(end.results), HasSubstr("1 passed only when tried again"));
  EXPECT_TRUE(std::filesystem::exists(dir_ + "/results/runs/a/try-2/result.json"));
  BatchConfig without = Config(absl::StrFormat("a: --act=second --mark=%s/c\n", dir_));
  without.results_dir += "-without";
  EXPECT_EQ(Run(without).results.runs[0].state, State::kFailed) << "off unless asked for";
}

TEST_F(RunBatchTest, ASignalStopsTheRunsAndTheSummarySaysWhatIsMissing) {
  const auto signals = StopSignals::Block();
  ASSERT_TRUE(signals.ok());
  const std::string mark = dir_ + "/mark";
  const pid_t self = getpid();
  if (fork() == 0) {
    while (access(mark.c_str(), F_OK) != 0) usleep(10'000);
    kill(self, SIGTERM);
    _exit(0);
  }
  const BatchEnd end = Run(Config(absl::StrFormat("a: --act=pass\nb: --act=wait --mark=%s\nc: --act=pass\n", mark), 1),
                           (*signals)->fd());
  EXPECT_EQ(end.signal, SIGTERM);
  EXPECT_EQ(end.results.runs[0].state, State::kPassed);
  EXPECT_EQ(end.results.runs[1].state, State::kNotRun);
  EXPECT_EQ(end.results.runs[2].state, State::kNotRun);
  EXPECT_FALSE(end.results.AllPassed());
  EXPECT_THAT(Text("results/summary.html"), HasSubstr("the batch was interrupted"));
}

TEST_F(RunBatchTest, ResumeRunsWhatIsMissing) {
  const std::string list = absl::StrFormat("a: --act=fail\nb: --act=second --mark=%s/mark\n", dir_);
  Run(Config(list));
  EXPECT_THAT(std::string(RunBatch(Config(list), -1).status().message()), HasSubstr("use --resume"));
  std::filesystem::remove(dir_ + "/results/runs/b/run.json");  // as if it had been killed before that
  std::string text = Text("results/batch.json");
  text.replace(text.rfind("\"failed\""), 8, "\"not run\"");
  std::ofstream(dir_ + "/results/batch.json") << text;
  BatchConfig config = Config(list + "c: --act=pass\n");
  config.resume = true;
  const BatchEnd end = Run(config);
  EXPECT_EQ(end.results.runs[0].state, State::kFailed) << "it has ended, and is not run again";
  EXPECT_EQ(end.results.runs[1].state, State::kPassed);
  EXPECT_EQ(end.results.runs[2].state, State::kPassed);
}

TEST_F(RunBatchTest, AMergeOfShardsLosesNoRun) {
  std::string list;
  for (int i = 0; i < 12; ++i) list += absl::StrFormat("t%d: --act=%s\n", i, i == 3 ? "panic" : "pass");
  for (int shard = 0; shard < 3; ++shard) {
    BatchConfig config = Config(list);
    config.shard = {shard, 3};
    config.results_dir += absl::StrFormat("/%d", shard);
    const BatchEnd end = Run(config);
    EXPECT_EQ(end.results.runs.size(), 12) << "each shard lists them all";
    EXPECT_EQ(end.results.AllPassed(), !InShard("t3", config.shard)) << "of its own runs";
  }
  std::vector<std::string> warnings;
  const std::string base = dir_ + "/results/";
  const auto all = MergeResults({base + "0", base + "1", base + "2"}, dir_ + "/results/out", warnings);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->Count(State::kPassed), 11);
  EXPECT_EQ(all->Count(State::kFailed), 1);
  EXPECT_TRUE(warnings.empty());
  EXPECT_THAT(BatchHtml(*all), HasSubstr("href=\"./../"));
  const auto two = MergeResults({base + "0", base + "1", base + "missing"}, dir_ + "/results/out", warnings);
  ASSERT_TRUE(two.ok());
  EXPECT_EQ(two->runs.size(), 12);
  EXPECT_GT(two->Count(State::kNotRun), 0);
  EXPECT_FALSE(two->AllPassed());
  EXPECT_THAT(BatchJunit(*two), HasSubstr("<skipped message=\"not run\">"));
  EXPECT_EQ(warnings.size(), 1);
  EXPECT_FALSE(MergeResults({base + "missing"}, "x", warnings).ok());
}

TEST_F(RunBatchTest, AShardThatWasKilledKeepsWhatHadEnded) {
  Run(Config("a: --act=pass\nb: --act=fail\n"));
  // batch.json as it was at the start: nothing has run.
  const BatchResults start{.file = "list", .runs = {{.name = "a"}, {.name = "b"}, {.name = "c"}}};
  ASSERT_TRUE(WriteResults(dir_ + "/results", start).ok());
  const auto results = ReadResults(dir_ + "/results");
  ASSERT_TRUE(results.ok());
  EXPECT_EQ(results->runs[0].state, State::kPassed);
  EXPECT_EQ(results->runs[1].state, State::kFailed);
  EXPECT_EQ(results->runs[2].state, State::kNotRun);
}

TEST_F(RunBatchTest, OfTwoResultsTheWorseCounts) {
  const RunRecord passed{.state = State::kPassed, .outcome = "power-off"};
  const RunRecord failed{.state = State::kFailed, .outcome = "guest-exit"};
  const RunRecord panic{.state = State::kFailed, .outcome = "panic"};
  EXPECT_EQ(&Worse(passed, panic), &panic);
  EXPECT_EQ(&Worse(panic, failed), &panic);
  EXPECT_EQ(&Worse(failed, passed), &failed);
}

TEST_F(RunBatchTest, HostileRecordsAreRefusedOrCleaned) {
  EXPECT_EQ(RecordOf("a", {}, 0, "{\"exit_code\": [").state, State::kFailed);
  EXPECT_EQ(RecordOf("a", {}, 0, "[]").state, State::kFailed);
  EXPECT_EQ(RecordOf("a", {}, 120 << 8, "{\"exit_code\": 120, \"outcome\": \"panic\", \"death\": 3}").signature,
            "panic-");
  EXPECT_EQ(RecordOf("a", {}, 120 << 8, "{\"exit_code\": 120, \"summary\": \"a\\u001b[31mb\\n\"}").summary, "ab");
  EXPECT_FALSE(RecordFromJson({{"name", "../x"}}).ok());
  EXPECT_FALSE(RecordFromJson(3).ok());
}

TEST(BatchWordsTest, WrongWordsAreNamed) {
  const auto error = [](std::vector<std::string> words) {
    return std::string(ParseBatchWords(words).status().message());
  };
  EXPECT_THAT(error({}), HasSubstr("a FILE is needed"));
  EXPECT_THAT(error({"f", "--job=3"}), HasSubstr("--job=3: no such flag"));
  EXPECT_THAT(error({"f", "--jobs=0"}), HasSubstr("--jobs=0: must be a number from 1 on"));
  EXPECT_THAT(error({"f", "--shard=2/2"}), HasSubstr("--shard=2/2: shard 2 of 2"));
  EXPECT_THAT(error({"f", "g"}), HasSubstr("one FILE at a time"));
  EXPECT_THAT(error({"--merge"}), HasSubstr("directories must follow"));
  EXPECT_THAT(error({"f", "--jobs"}), HasSubstr("a value must follow"));
  const auto words = ParseBatchWords({"f", "--results", "r/", "--memory-budget=1G", "--shard=1/2"});
  ASSERT_TRUE(words.ok());
  EXPECT_EQ(words->results, "r");
  EXPECT_EQ(words->memory_budget, 1ull << 30);
}

TEST(LiveTableTest, TheLongestRunningComesFirstAndTheRestIsANumber) {
  const TableStatus status{
      .running = {{"new", absl::Seconds(1)}, {"old", absl::Seconds(90)}, {"mid", absl::Seconds(5)}},
      .ended = 3,
      .total = 10,
      .failed = 1};
  EXPECT_THAT(TableLines(status, 79, 2), ::testing::ElementsAre("   90.0 s  old", "    5.0 s  mid", "           1 more",
                                                                "3 of 10 ended, 1 failed, 3 running"));
}

}  // namespace
}  // namespace vmm
