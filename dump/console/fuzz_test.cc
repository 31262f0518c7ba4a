// Logs changed pseudo-randomly, always in the same way: the reader keeps its bounds, and its results are in order.
#include "dump/console/console_reader.h"
#include "dump/console/testing/written_logs.h"
#include "dump/testing/fuzz_steps.h"
#include "dump/testing/mutator.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(ConsoleFuzzTest, AnyLogGivesReportsWithinTheirBounds) {
  std::vector<WrittenLog> seeds = LogsOfTheFile();
  for (WrittenLog& log : LogsOfEras()) seeds.push_back(std::move(log));
  Mutator mutator(FuzzSeed(1));
  const uint64_t steps = FuzzSteps(3'000);
  uint64_t found = 0;
  for (uint64_t step = 0; step < steps; ++step) {
    std::string log;
    for (uint64_t i = 1 + mutator.Below(3); i > 0; --i) {
      for (const std::string& line : seeds[mutator.Below(seeds.size())].lines) {
        if (mutator.Below(4) == 0) log += "[   12.345678][    T1] ";
        log += line + "\n";
      }
    }
    mutator.Change(log);
    ConsoleReader reader;
    while (!log.empty()) {  // in pieces
      const size_t piece = std::min<size_t>(log.size(), 1 + mutator.Below(4096));
      reader.Add(log.substr(0, piece));
      log.erase(0, piece);
    }
    const ConsoleFindings findings = reader.Finish();
    found += findings.reports.size();
    uint64_t before = 0;
    for (const ConsoleReport& report : findings.reports) {
      ASSERT_TRUE(report.first_line >= before && report.first_line <= report.last_line) << "step " << step;
      ASSERT_LE(report.last_line, findings.lines);
      ASSERT_LE(report.frames.size(), kMaxReportFrames);
      ASSERT_FALSE(report.title.empty());
      ASSERT_EQ(report.signature.size(), 16u);
      before = report.first_line;
    }
  }
  EXPECT_GT(found, steps / 2);
}

}  // namespace
}  // namespace vmm
