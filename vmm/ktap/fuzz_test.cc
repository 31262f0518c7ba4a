// A guest's output is from a stranger. This test mixes lines that the parser knows, damages them at pseudo-random
// places, the same in each run, and looks at what must hold for any stream: the cut into chunks is of no importance,
// limits are kept, a death is never a pass, and what the writer makes reads back as the same results. FUZZ_STEPS in the
// environment sets another number of steps.
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "dump/testing/fuzz_steps.h"
#include "gtest/gtest.h"
#include "vmm/ktap/junit_xml.h"
#include "vmm/ktap/ktap_parser.h"
#include "vmm/ktap/ktap_text.h"
#include "vmm/ktap/summary_json.h"

namespace vmm {
namespace {

const std::vector<std::string>& Words() {
  static const auto& words = *new std::vector<std::string>{"KTAP version 1",
                                                           "TAP version 13",
                                                           "1..3",
                                                           "1..0 # SKIP x",
                                                           "1..99999999999",
                                                           "ok 1 a",
                                                           "ok 2 b",
                                                           "not ok 2 b",
                                                           "not ok 3 c # exit=1",
                                                           "ok 1 # SKIP d",
                                                           "not ok 1 e # TIMEOUT",
                                                           "ok 2 f # TODO g",
                                                           "Bail out! h",
                                                           "---",
                                                           "...",
                                                           "duration_ms: 3",
                                                           "#  RUN           s.t ...",
                                                           "# selftests: a: b",
                                                           "# Subtest: u",
                                                           "words",
                                                           "ok 1 x\\#y # XFAIL z",
                                                           "\x1b[1mok 1 a\x1b[m",
                                                           "[    1.500000] ok 1 a",
                                                           "[    1.500000][    T1] KTAP version 1",
                                                           "host k: TAP version 14",
                                                           "host k: ok 1 v",
                                                           std::string(300, 'w'),
                                                           "ok 1 " + std::string(700, 'n'),
                                                           "ok 1 | p # | q",
                                                           "\xff\xfe\x01\t"};
  return words;
}

std::string Stream(std::mt19937_64& random) {
  std::string text;
  for (uint64_t lines = random() % 40; lines > 0; --lines) {
    for (uint64_t depth = random() % 4; depth > 0; --depth) text += random() % 3 == 0 ? "# " : "  ";
    text += Words()[random() % Words().size()];
    if (random() % 20 != 0) text += random() % 10 == 0 ? "\r\n" : "\n";
  }
  for (uint64_t i = random() % 4; i > 0 && !text.empty(); --i)
    text[random() % text.size()] = static_cast<char>(random());
  return text;
}

constexpr KtapLimits kLimits{
    .line = 600, .name = 60, .diagnostics = 500, .all_diagnostics = 2000, .tests = 30, .depth = 4};

std::optional<GuestDeath> Death(bool dies) {
  if (!dies) return std::nullopt;
  return GuestDeath{.kind = "panic", .message = "Fatal # exception", .details = "ok 1 stack\n1..2\n"};
}

ResultTree Parse(std::string_view text, bool dies, const KtapLimits& limits, std::mt19937_64* cuts) {
  KtapParser parser(limits);
  while (!text.empty()) {
    const size_t size = cuts == nullptr ? text.size() : std::min<size_t>(text.size(), 1 + (*cuts)() % 30);
    parser.Feed(text.substr(0, size));
    text.remove_prefix(size);
  }
  return parser.Close(Death(dies));
}

std::string All(const std::vector<TestResult>& tests) {
  std::string text = "[";
  for (const TestResult& test : tests) {
    text += absl::StrFormat("%s|%s|%s|%s|%d|%s", test.name, VerdictName(test.verdict), test.message, test.diagnostics,
                            test.diagnostics_dropped, All(test.subtests));
  }
  return text + "]";
}

// The results as they must read back: what KTAP has no words for is written as the nearest that it has.
std::string Readable(const std::vector<TestResult>& tests) {
  std::string text = "[";
  for (const TestResult& test : tests) {
    Verdict verdict = test.verdict;
    if (verdict == Verdict::kNotRun) verdict = Verdict::kSkip;
    if (verdict == Verdict::kCrashed) verdict = Verdict::kNotOk;
    text += absl::StrFormat("%s|%s|%s;", test.name, VerdictName(verdict), Readable(test.subtests));
  }
  return text + "]";
}

size_t CheckLimits(const std::vector<TestResult>& tests, size_t depth) {
  EXPECT_LE(depth, kLimits.depth);
  std::set<std::string> names;
  size_t count = 0;
  for (const TestResult& test : tests) {
    EXPECT_TRUE(names.insert(test.name).second) << test.name;
    EXPECT_FALSE(test.name.empty());
    EXPECT_LE(test.name.size(), kLimits.name + 10);
    EXPECT_LE(test.message.size(), kLimits.name + 20);
    EXPECT_LE(test.diagnostics.size(), kLimits.diagnostics);
    count += 1 + CheckLimits(test.subtests, depth + 1);
  }
  return count;
}

TEST(KtapFuzzTest, AnyStreamIsReadTheSameWayHoweverItIsCut) {
  std::mt19937_64 random(FuzzSeed(1));
  uint64_t with_results = 0;
  FuzzRun run(3000);
  while (run.Step()) {
    const std::string text = Stream(random);
    const bool dies = random() % 2 == 0;
    const ResultTree tree = Parse(text, dies, kLimits, nullptr);
    const ResultTree cut = Parse(text, dies, kLimits, &random);
    ASSERT_EQ(All(tree.tests), All(cut.tests)) << text;
    ASSERT_EQ(tree.stream_errors, cut.stream_errors) << text;
    ASSERT_LE(CheckLimits(tree.tests, 0), kLimits.tests) << text;
    ASSERT_FALSE(dies && AllPassed(tree)) << text;
    const TestTotals totals = CountTests(tree);
    ASSERT_FALSE(AllPassed(tree) && totals.failed() + totals.not_run > 0) << text;
    with_results += tree.saw_results ? 1 : 0;
    JunitXml(JunitSuitesOf(tree, "run", true));
    TestsJson(tree);
  }
  EXPECT_GT(with_results, run.steps() / 4);
}

TEST(KtapFuzzTest, WhatIsWrittenReadsBack) {
  std::mt19937_64 random(FuzzSeed(2));
  FuzzRun run(500);
  while (run.Step()) {
    const std::string text = Stream(random);
    const ResultTree tree = Parse(text, random() % 2 == 0, {}, nullptr);
    const std::string written = KtapText(tree);
    KtapParser parser;
    parser.Feed(written);
    const ResultTree reread = parser.Close();
    ASSERT_EQ(Readable(tree.tests), Readable(reread.tests)) << text << "\n--- written:\n" << written;
  }
}

}  // namespace
}  // namespace vmm
