#include "vmm/outcome/test_results.h"

#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "vmm/outcome/result_json.h"

namespace vmm {
namespace {

using Kind = RunOutcome::Kind;
using ::testing::HasSubstr;

ResultTree Parse(std::string_view text, const std::optional<GuestDeath>& death = std::nullopt) {
  KtapParser parser;
  parser.Feed(text);
  return parser.Close(death);
}

TEST(TestResultsTest, OnlyAGuestThatEndsByItselfHasNoDeath) {
  for (const Kind kind :
       {Kind::kPanic, Kind::kReset, Kind::kHang, Kind::kTimeout, Kind::kInterrupted, Kind::kVmmError}) {
    EXPECT_TRUE(DeathOf({.kind = kind}).has_value()) << static_cast<int>(kind);
    EXPECT_EQ(DeathOf({.kind = kind})->timeout, kind == Kind::kTimeout);
  }
  EXPECT_FALSE(DeathOf({.kind = Kind::kPowerOff}).has_value());
  EXPECT_FALSE(DeathOf({.kind = Kind::kGuestExit}).has_value());
}

TEST(TestResultsTest, ADeathHasTheKernelsWordsAndTheEndOfItsLog) {
  const RunOutcome outcome{.kind = Kind::kPanic,
                           .panic = PanicEvent{},
                           .death = DeathReport{.message = "Fatal exception", .stack = {"f+0x1/0x2"}, .log = {"last"}}};
  const GuestDeath death = *DeathOf(outcome);
  EXPECT_EQ(death.message, "Fatal exception");
  EXPECT_EQ(death.details, "last\nf+0x1/0x2\n");
}

TEST(TestResultsTest, AStatusThatNoResultExplainsIsAFailure) {
  ResultTree tests = Parse("1..1\nok 1 a\n");
  AddStatus({.kind = Kind::kGuestExit, .guest_status = 0}, tests);
  EXPECT_TRUE(AllPassed(tests));
  AddStatus({.kind = Kind::kGuestExit, .guest_status = 3}, tests);
  ASSERT_EQ(tests.tests.size(), 2);
  EXPECT_EQ(tests.tests[1].message, "the guest ended with status 3");
  ResultTree failed = Parse("1..1\nnot ok 1 a\n");
  AddStatus({.kind = Kind::kGuestExit, .guest_status = 1}, failed);
  EXPECT_EQ(failed.tests.size(), 1) << "a result says so already";
  ResultTree skipped = Parse("1..0 # SKIP x\n");
  AddStatus({.kind = Kind::kGuestExit, .guest_status = 4}, skipped);
  EXPECT_TRUE(AllPassed(skipped));
}

TEST(TestResultsTest, FilesAreWrittenEvenIfThereWasNoRun) {
  const VmConfig config{.boot = {.kernel_path = "x/bzImage"},
                        .ktap_path = ::testing::TempDir() + "/out.ktap",
                        .junit_path = ::testing::TempDir() + "/out.xml"};
  absl::StatusOr<TestFiles> files = TestFiles::Open(config);
  ASSERT_TRUE(files.ok()) << files.status();
  ASSERT_TRUE(files->Write(config, {.error = absl::NotFoundError("no such kernel")}, -1).ok());
  const auto text = [](const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  };
  EXPECT_THAT(text(config.ktap_path), HasSubstr("not ok 1 (unnamed) # vmm-error: no such kernel\n"));
  EXPECT_THAT(text(config.junit_path), HasSubstr("<error type=\"vmm-error\" message=\"vmm-error: no such kernel\">"));
  EXPECT_THAT(std::string(TestFiles::Open({.ktap_path = "/none/x"}).status().message()), HasSubstr("--ktap=/none/x"));
}

TEST(TestResultsTest, TheRecordHasTheTotals) {
  RunOutcome outcome{.kind = Kind::kPowerOff};
  EXPECT_FALSE(nlohmann::json::parse(ResultJson({}, outcome)).contains("tests"));
  outcome.tests = Parse("1..2\nok 1 a\nnot ok 2 b\n");
  const auto tests = nlohmann::json::parse(ResultJson({}, outcome))["tests"];
  EXPECT_EQ(tests["ok"], 1);
  EXPECT_EQ(tests["failures"][0]["name"], "b");
}

}  // namespace
}  // namespace vmm
