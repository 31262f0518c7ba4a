// vmm batch, vmm doctor and the files of --ktap and --junit, with real guests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_format.h"
#include "guest-tests/vmm_process.h"
#include "nlohmann/json.hpp"

namespace vmm {
namespace {

using testing::HasSubstr;

std::string TextOf(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class BatchTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(results_); }

  std::string List(const std::string& text) const {
    std::ofstream(list_) << "*: --memory=64M --timeout=60s\n" << text;
    return list_;
  }

  nlohmann::json Json(const std::string& dir) const {
    return nlohmann::json::parse(std::ifstream(dir + "/batch.json"), nullptr, false);
  }

  const std::string name_ = testing::UnitTest::GetInstance()->current_test_info()->name();
  const std::string list_ = testing::TempDir() + "/" + name_ + ".list";
  const std::string results_ = testing::TempDir() + "/" + name_;
};

TEST_F(BatchTest, GuestsOfEveryEndAreToldApart) {
  const VmmResult result = RunVmm({"batch",
                                   List("hello: --kernel=guest-tests/hello.elf\n"
                                        "seven: --kernel=guest-tests/exit_status.elf --append=status=7\n"
                                        "panics: --kernel=guest-tests/pvpanic.elf --append=write=1\n"
                                        "panics-too: --kernel=guest-tests/pvpanic.elf --append=write=1\n"
                                        "sleeps: --kernel=guest-tests/spin.elf --timeout=1s\n"
                                        "nothing: --kernel=guest-tests/none.elf\n"),
                                   "--results=" + results_, "--jobs=3"});
  EXPECT_EQ(result.exit_code, 1) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("1 passed, 5 failed, 0 not run of 6")) << result.Describe();
  const nlohmann::json json = Json(results_);
  std::string ends;
  for (const auto& run : json["runs"]) {
    ends += absl::StrFormat("%s %s %d;", run["name"].get<std::string>(), run["outcome"].get<std::string>(),
                            run["exit_code"].get<int>());
  }
  EXPECT_EQ(ends,
            "hello guest-exit 0;seven guest-exit 7;panics panic 120;panics-too panic 120;sleeps timeout 124;"
            "nothing vmm-error 125;")
      << result.Describe();
  EXPECT_TRUE(std::filesystem::exists(results_ + "/runs/panics/vmcore"));
  EXPECT_THAT(TextOf(results_ + "/runs/hello/console.log"), HasSubstr("hello on the serial port"));
  EXPECT_THAT(TextOf(results_ + "/junit.xml"), HasSubstr("<error type=\"panic\""));
  EXPECT_EQ(json["runs"][2]["signature"], json["runs"][3]["signature"]);
}

TEST_F(BatchTest, ABatchOfPassesIsZero) {
  const VmmResult result =
      RunVmm({"batch", List("a: --kernel=guest-tests/hello.elf\nb: --kernel=guest-tests/hello.elf\n"),
              "--results=" + results_});
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
}

TEST_F(BatchTest, SigtermEndsItsGuestsWithTheirRecords) {
  VmmProcess batch({"batch", List("spins: --kernel=guest-tests/spin.elf\nlater: --kernel=guest-tests/hello.elf\n"),
                    "--results=" + results_, "--jobs=1"});
  const auto started = [&] { return TextOf(results_ + "/runs/spins/console.log").size(); };
  for (int i = 0; i < 400 && started() == 0; ++i) usleep(25'000);
  batch.Signal(SIGTERM);
  const VmmResult result = batch.Wait();
  EXPECT_EQ(result.exit_code, 128 + SIGTERM) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("0 passed, 0 failed, 2 not run of 2")) << result.Describe();
  EXPECT_EQ(Json(results_)["interrupted"], true);
  EXPECT_EQ(nlohmann::json::parse(std::ifstream(results_ + "/runs/spins/result.json"))["outcome"], "interrupted");
}

TEST_F(BatchTest, ShardsAreMerged) {
  std::string list;
  for (int i = 0; i < 6; ++i) list += absl::StrFormat("t%d: --kernel=guest-tests/hello.elf\n", i);
  List(list);
  std::vector<std::string> merge = {"batch", "--merge", "--results=" + results_ + "/all"};
  for (int shard = 0; shard < 2; ++shard) {
    const std::string dir = absl::StrFormat("%s/%d", results_, shard);
    const VmmResult result = RunVmm({"batch", list_, "--results=" + dir, absl::StrFormat("--shard=%d/2", shard)});
    EXPECT_EQ(result.exit_code, 0) << result.Describe();
    merge.push_back(dir);
  }
  EXPECT_EQ(RunVmm(merge).exit_code, 0);
  EXPECT_EQ(Json(results_ + "/all")["passed"], 6);
  merge.pop_back();
  const VmmResult without = RunVmm(merge);
  EXPECT_EQ(without.exit_code, 1) << "a shard is missing";
  EXPECT_GT(Json(results_ + "/all")["not_run"], 0) << without.Describe();
}

TEST_F(BatchTest, AWrongListIs125AndNamesItsLine) {
  const VmmResult result = RunVmm({"batch", List("a: --cpus=x\n"), "--results=" + results_});
  EXPECT_EQ(result.exit_code, 125);
  EXPECT_THAT(result.LastErrorLine(), HasSubstr(".list: line 2: --cpus=x")) << result.Describe();
}

// Guests print TAP on their consoles.
TEST(TestResultsTest, AGuestsResultsAreKtapJunitAndInTheRecord) {
  const std::string dir = testing::TempDir();
  const VmmResult result = RunGuest(
      "pio_widths", "", {"--ktap=" + dir + "/t.ktap", "--junit=" + dir + "/t.xml", "--result=" + dir + "/t.json"});
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
  const nlohmann::json tests = nlohmann::json::parse(std::ifstream(dir + "/t.json"))["tests"];
  EXPECT_EQ(tests["passed"], true) << tests;
  EXPECT_GT(tests["ok"], 1) << tests;
  EXPECT_EQ(tests["stream_errors_seen"], 0) << tests;
  EXPECT_THAT(TextOf(dir + "/t.ktap"), HasSubstr("KTAP version 1\n1.."));
  EXPECT_THAT(TextOf(dir + "/t.xml"), HasSubstr("<testcase classname=\"pio_widths.elf\""));
}

TEST(TestResultsTest, APanicEndsTheRunningTestAndWhatHadFinishedStays) {
  const std::string dir = testing::TempDir();
  const VmmResult result =
      RunGuest("pvpanic", "write=1", {"--on-panic=exit", "--ktap=" + dir + "/p.ktap", "--junit=" + dir + "/p.xml"});
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  const std::string ktap = TextOf(dir + "/p.ktap");
  EXPECT_THAT(ktap, HasSubstr("ok 1 a byte says: panicked, crash loaded, shutdown\nok 2 so do 32 bits\n"));
  EXPECT_THAT(ktap, HasSubstr("\nnot ok 3 (unnamed) # panic: ")) << result.Describe();
  EXPECT_THAT(TextOf(dir + "/p.xml"), HasSubstr("<error type=\"panic\""));
}

TEST(TestResultsTest, AFileWithoutAPlaceIsSaidBeforeTheGuestRuns) {
  const VmmResult result = RunGuest("hello", "", {"--junit=/none/x.xml"});
  EXPECT_EQ(result.exit_code, 125);
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("--junit=/none/x.xml")) << result.Describe();
  EXPECT_EQ(result.out, "");
}

TEST(DoctorTest, AMachineWithKvmCanRunGuests) {
  const VmmResult result = RunVmm({"doctor", "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
  EXPECT_EQ(nlohmann::json::parse(result.out)["can_run"], true) << result.Describe();
  EXPECT_EQ(RunVmm({"doctor", "--kernel=guest-tests/not_a_kernel.txt"}).exit_code, 1);
  EXPECT_EQ(RunVmm({"doctor", "--frobnicate"}).exit_code, 125);
}

}  // namespace
}  // namespace vmm
