#include "vmm/ktap/ktap_parser.h"

#include <string>

#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "vmm/ktap/ktap_text.h"

namespace vmm {
namespace {

// A line for each test: indent, name, verdict, message.
void Draw(const std::vector<TestResult>& tests, const std::string& indent, std::string& text) {
  for (const TestResult& test : tests) {
    text += absl::StrFormat("%s%s: %s", indent, test.name, VerdictName(test.verdict));
    if (!test.message.empty()) text += absl::StrFormat(" (%s)", test.message);
    text += '\n';
    Draw(test.subtests, indent + "  ", text);
  }
}

std::string Shape(const ResultTree& tree) {
  std::string text;
  Draw(tree.tests, "", text);
  return text;
}

ResultTree Parse(std::string_view text, const std::optional<GuestDeath>& death = std::nullopt) {
  KtapParser parser;
  parser.Feed(text);
  return parser.Close(death);
}

const GuestDeath kPanic{.kind = "panic", .message = "Fatal exception", .details = "RIP: 0010:crash\n"};

// Output of kselftest's runner (tools/testing/selftests/run_kselftest.sh) over two programs: one that uses kselftest.h,
// one that uses kselftest_harness.h.
constexpr std::string_view kRunner =
    "TAP version 13\n"
    "1..2\n"
    "# timeout set to 45\n"
    "# selftests: timers: posix_timers\n"
    "# TAP version 13\n"
    "# 1..3\n"
    "# # Testing posix timers.\n"
    "# ok 1 check_itimer_virtual\n"
    "# ok 2 # SKIP check_timer_distribution\n"
    "# not ok 3 check_gettime\n"
    "# # Totals: pass:1 fail:1 xfail:0 xpass:0 skip:1 error:0\n"
    "not ok 1 selftests: timers: posix_timers # exit=1\n"
    "# selftests: seccomp: seccomp_bpf\n"
    "# TAP version 13\n"
    "# 1..2\n"
    "# # Starting 2 tests from 1 test cases.\n"
    "# #  RUN           global.kill_one ...\n"
    "# #            OK  global.kill_one\n"
    "# ok 1 global.kill_one\n"
    "# #  RUN           global.kill_all ...\n"
    "# #            OK  global.kill_all\n"
    "# ok 2 global.kill_all\n"
    "# # PASSED: 2 / 2 tests passed.\n"
    "# # Totals: pass:2 fail:0 xfail:0 xpass:0 skip:0 error:0\n"
    "ok 2 selftests: seccomp: seccomp_bpf\n";

TEST(KtapParserTest, TheRunnersProgramsHaveTheirSubtests) {
  const ResultTree tree = Parse(kRunner);
  EXPECT_EQ(Shape(tree),
            "selftests: timers: posix_timers: not ok (exit=1)\n"
            "  check_itimer_virtual: ok\n"
            "  check_timer_distribution: skip\n"
            "  check_gettime: not ok\n"
            "selftests: seccomp: seccomp_bpf: ok\n"
            "  global.kill_one: ok\n"
            "  global.kill_all: ok\n");
  EXPECT_EQ(tree.stream_errors_seen, 0) << tree.stream_errors.front();
  const TestTotals totals = CountTests(tree);
  EXPECT_EQ(totals.ok, 3);
  EXPECT_EQ(totals.failed(), 1);
  EXPECT_FALSE(AllPassed(tree));
  EXPECT_NE(tree.tests[0].diagnostics.find("Totals: pass:1"), std::string::npos);
}

TEST(KtapParserTest, ADeathMarksTheTestThatTheRunLineNames) {
  const size_t end = kRunner.find("# #            OK  global.kill_all");
  const ResultTree tree = Parse(kRunner.substr(0, end), kPanic);
  EXPECT_EQ(Shape(tree),
            "selftests: timers: posix_timers: not ok (exit=1)\n"
            "  check_itimer_virtual: ok\n"
            "  check_timer_distribution: skip\n"
            "  check_gettime: not ok\n"
            "selftests: seccomp: seccomp_bpf: crashed (panic: Fatal exception)\n"
            "  global.kill_one: ok\n"
            "  global.kill_all: crashed (panic: Fatal exception)\n");
  EXPECT_EQ(tree.tests[1].subtests[1].diagnostics, "RIP: 0010:crash\n");
  EXPECT_EQ(tree.tests[1].diagnostics.find("RIP"), std::string::npos) << "once, at the innermost test";
}

TEST(KtapParserTest, ADeathLeavesTheRestOfThePlanNotRun) {
  const ResultTree tree = Parse("KTAP version 1\n1..4\nok 1 first\n# working\n", kPanic);
  EXPECT_EQ(Shape(tree),
            "first: ok\n"
            "(unnamed): crashed (panic: Fatal exception)\n"
            "(test 3): not run (not run)\n"
            "(test 4): not run (not run)\n");
  EXPECT_EQ(KtapText(tree),
            "KTAP version 1\n1..4\nok 1 first\n# working\n# RIP: 0010:crash\n"
            "not ok 2 (unnamed) # panic: Fatal exception\n"
            "ok 3 (test 3) # SKIP not run\nok 4 (test 4) # SKIP not run\n"
            "# Totals: pass:1 fail:1 xfail:0 xpass:0 skip:2 error:0\n");
}

TEST(KtapParserTest, ADeathIsNeverAPass) {
  for (const std::string_view text : {"", "hello\n", "ok 1 a\n", "1..1\nok 1 a\n", "1..0 # SKIP no device\n",
                                      "KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  ok 1 x\nok 1 s\n"}) {
    const ResultTree tree = Parse(text, kPanic);
    EXPECT_FALSE(AllPassed(tree)) << text;
    EXPECT_EQ(CountTests(tree).crashed, 1) << text;
  }
}

TEST(KtapParserTest, AResultLineThatADeathCutsIsNoResult) {
  const ResultTree tree = Parse("1..2\nok 1 a\nok 2 b", kPanic);
  EXPECT_EQ(Shape(tree), "a: ok\n(unnamed): crashed (panic: Fatal exception)\n");
  EXPECT_EQ(Shape(Parse("1..2\nok 1 a\nok 2 b")), "a: ok\nb: ok\n") << "a clean end needs no newline";
}

TEST(KtapParserTest, ATimeOutOfTheRunIsATimeOutOfTheTest) {
  const ResultTree tree =
      Parse("1..1\n# selftests: net: slow\n", GuestDeath{.kind = "timeout", .message = "after 5m", .timeout = true});
  EXPECT_EQ(Shape(tree), "selftests: net: slow: timeout (timeout: after 5m)\n");
}

// As KUnit prints it with CONFIG_PRINTK_TIME and CONFIG_PRINTK_CALLER, among other lines of the kernel.
constexpr std::string_view kKunit =
    "[    0.351000][    T1] Freeing initrd memory: 16K\r\n"
    "[    0.400000][    T1] KTAP version 1\r\n"
    "[    0.400100][    T1] 1..2\r\n"
    "[    0.400200][    T1]     KTAP version 1\r\n"
    "[    0.400300][    T1]     # Subtest: list-kunit-test\r\n"
    "[    0.400400][    T1]     1..2\r\n"
    "[    0.500400][    T1]     ok 1 list_test_list_init\r\n"
    "[    0.500500][   T34] random: crng init done\r\n"
    "[    0.500600][    T1]     # list_test_list_add: EXPECTATION FAILED at lib/list-test.c:30\r\n"
    "[    0.600400][    T1]     not ok 2 list_test_list_add\r\n"
    "[    0.600500][    T1] # list-kunit-test: pass:1 fail:1 skip:0 total:2\r\n"
    "[    0.600600][    T1] # Totals: pass:1 fail:1 skip:0 total:2\r\n"
    "[    0.600700][    T1] not ok 1 list-kunit-test\r\n"
    "[    0.600800][    T1]     KTAP version 1\r\n"
    "[    0.600900][    T1]     # Subtest: example\r\n"
    "[    0.601000][    T1]     1..1\r\n"
    "[    0.601100][    T1]         KTAP version 1\r\n"
    "[    0.601200][    T1]         # Subtest: example_params_test\r\n"
    "[    0.601300][    T1]         ok 1 example value 2\r\n"
    "[    0.601400][    T1]         ok 2 example value 0 # SKIP unsupported param value\r\n"
    "[    0.601500][    T1]     ok 1 example_params_test\r\n"
    "[    0.601600][    T1] ok 2 example\r\n";

TEST(KtapParserTest, KunitsResultsAreReadOutOfTheKernelsLog) {
  const ResultTree tree = Parse(kKunit);
  EXPECT_EQ(Shape(tree),
            "list-kunit-test: not ok\n"
            "  list_test_list_init: ok\n"
            "  list_test_list_add: not ok\n"
            "example: ok\n"
            "  example_params_test: ok\n"
            "    example value 2: ok\n"
            "    example value 0: skip (unsupported param value)\n");
  EXPECT_EQ(tree.stream_errors_seen, 0) << tree.stream_errors.front();
  const TestResult& add = tree.tests[0].subtests[1];
  EXPECT_NE(add.diagnostics.find("EXPECTATION FAILED at lib/list-test.c:30"), std::string::npos);
  EXPECT_NEAR(absl::ToDoubleSeconds(*add.duration), 0.1, 1e-9);
}

TEST(KtapParserTest, ADeathInASuiteOfKunitHasTheSuitesName) {
  const size_t end = kKunit.find("[    0.600400][    T1]     not ok 2");
  EXPECT_EQ(Shape(Parse(kKunit.substr(0, end), kPanic)),
            "list-kunit-test: crashed (panic: Fatal exception)\n"
            "  list_test_list_init: ok\n"
            "  (unnamed): crashed (panic: Fatal exception)\n"
            "(test 2): not run (not run)\n");
}

TEST(KtapParserTest, APrefixOfSomebodyElsesLogIsCutFromEachLine) {
  EXPECT_EQ(Shape(Parse("Dec  1 09:59:59 box kernel: booting\n"
                        "Dec  1 09:59:59 box kernel: KTAP version 1\n"
                        "Dec  1 09:59:59 box kernel: 1..2\n"
                        "Dec  1 10:00:00 box kernel: ok 1 a\n"
                        "another line\n"
                        "Dec 31 10:00:01 box kernel: not ok 2 b\n")),
            "a: ok\nb: not ok\n");
}

TEST(KtapParserTest, Tap14NestsByFourBlanksAndNamesTheSubtestBefore) {
  const ResultTree tree = Parse(
      "TAP version 14\n1..2\n# Subtest: foo.tap\n    1..2\n    ok 1\n    ok 2 - this \\# is no directive\n"
      "ok 1 - foo.tap\nok 2 - bar # todo not yet\n");
  EXPECT_EQ(Shape(tree), "foo.tap: ok\n  (unnamed): ok\n  this # is no directive: ok\nbar: todo (not yet)\n");
}

TEST(KtapParserTest, AYamlBlockBelongsToTheResultBeforeIt) {
  const ResultTree tree =
      Parse("TAP version 13\n1..2\nnot ok 1 - a\n  ---\n  duration_ms: 12.5\n  ok 7 inside\n  ...\nok 2 b\n");
  EXPECT_EQ(Shape(tree), "a: not ok\nb: ok\n");
  EXPECT_EQ(*tree.tests[0].duration, absl::Milliseconds(12.5));
  EXPECT_EQ(tree.tests[0].diagnostics, "duration_ms: 12.5\nok 7 inside\n");
}

TEST(KtapParserTest, AYamlBlockWithoutAnEndSwallowsNothing) {
  EXPECT_EQ(Shape(Parse("1..2\nnot ok 1 a\n  ---\n  x: 1\nok 2 b\n")), "a: not ok\nb: ok\n");
}

TEST(KtapParserTest, DirectivesDecideTheVerdict) {
  EXPECT_EQ(Shape(Parse("1..11\n"
                        "ok 1 a # SKIP no net\n"
                        "not ok 2 b # skip\n"
                        "not ok 3 c # TODO later\n"
                        "ok 4 # XFAIL d\n"
                        "not ok 5 e # TIMEOUT 45 seconds\n"
                        "not ok 6 # error f\n"
                        "ok 7 g # error path\n"
                        "ok 8 h # TIMEOUT\n"
                        "not ok 9 i # exit=139\n"
                        "ok 10 # XPASS j\n"
                        "ok 11 - k - l\n")),
            "a: skip (no net)\nb: skip\nc: todo (later)\nd: xfail\ne: timeout (45 seconds)\nf: error\n"
            "g: ok (error path)\nh: timeout\ni: not ok (exit=139)\nj: ok\nk - l: ok\n");
}

TEST(KtapParserTest, OnlyOkWithANumberIsAResult) {
  const ResultTree tree = Parse("ok, let us go\nok\nnot ok\nokay 1 x\nok 1x\nok go 1\n");
  EXPECT_TRUE(tree.tests.empty());
  EXPECT_FALSE(tree.saw_results);
}

TEST(KtapParserTest, EqualNamesBecomeDifferent) {
  EXPECT_EQ(Shape(Parse("1..4\nnot ok 1 x\nok 2 x (2)\nok 3 x\nok 4 x\n")),
            "x: not ok\nx (2): ok\nx (3): ok\nx (4): ok\n");
}

TEST(KtapParserTest, AWrongNumberIsAnErrorOfTheStreamAndTheResultStays) {
  const ResultTree tree = Parse("1..3\nok 1 a\nok 5 b\nok 99999999999999999999999 c\n");
  EXPECT_EQ(Shape(tree), "a: ok\nb: ok\nc: ok\n");
  EXPECT_EQ(tree.stream_errors_seen, 2);
  EXPECT_EQ(tree.stream_errors[0], "line 3: test 2 calls itself 5");
}

TEST(KtapParserTest, APlanThatIsNotMetIsAFailure) {
  const ResultTree tree = Parse("1..3\nok 1 a\n");
  EXPECT_EQ(Shape(tree), "a: ok\n(unnamed): error (no result: the stream ended)\n(test 3): not run (not run)\n");
  EXPECT_FALSE(AllPassed(tree));
}

TEST(KtapParserTest, SubtestsWithoutAResultOfTheirParentAreAFailure) {
  EXPECT_EQ(Shape(Parse("KTAP version 1\n1..1\n  KTAP version 1\n  # Subtest: s\n  1..1\n  ok 1 x\n")),
            "s: error (no result: the stream ended)\n  x: ok\n");
}

TEST(KtapParserTest, AnOkWithFailedSubtestsStillFailsTheWhole) {
  const ResultTree tree = Parse("1..1\n  1..1\n  not ok 1 x\nok 1 s\n");
  EXPECT_EQ(CountTests(tree).failed(), 1);
  EXPECT_FALSE(AllPassed(tree));
  EXPECT_EQ(tree.stream_errors_seen, 1);
}

TEST(KtapParserTest, AParentThatFailsAloneIsCounted) {
  const TestTotals totals = CountTests(Parse("1..1\n# ok 1 x\nnot ok 1 selftests: a: b # exit=1\n"));
  EXPECT_EQ(totals.ok, 1);
  EXPECT_EQ(totals.not_ok, 1);
}

TEST(KtapParserTest, BailOutEndsItsLevel) {
  EXPECT_EQ(Shape(Parse("TAP version 13\n1..2\n# TAP version 13\n# 1..3\n# ok 1 a\n# Bail out! no memory\n"
                        "not ok 1 selftests: mm: x # exit=1\nok 2 selftests: mm: y\n")),
            "selftests: mm: x: not ok (exit=1)\n"
            "  a: ok\n"
            "  (unnamed): error (Bail out! no memory)\n"
            "  (test 3): not run (not run)\n"
            "selftests: mm: y: ok\n");
}

TEST(KtapParserTest, TwoProgramsAfterEachOtherAreOneList) {
  const ResultTree tree = Parse("TAP version 13\n1..1\nok 1 a\nTAP version 13\n1..2\nok 1 a\nok 2 b\n1..1\nok 1 c\n");
  EXPECT_EQ(Shape(tree), "a: ok\na (2): ok\nb: ok\nc: ok\n");
  EXPECT_EQ(tree.stream_errors_seen, 0);
  EXPECT_EQ(Shape(Parse("ok 1 a\n1..1\nok 1 b\n1..1\n")), "a: ok\nb: ok\n") << "the plan comes last";
}

TEST(KtapParserTest, AWholeStreamThatIsSkippedSaysWhy) {
  const ResultTree tree = Parse("TAP version 13\n1..0 # SKIP no such device\n");
  EXPECT_TRUE(tree.tests.empty());
  EXPECT_EQ(tree.skip_reason, "no such device");
  EXPECT_EQ(KtapText(tree), "KTAP version 1\n1..0 # SKIP no such device\n");
}

TEST(KtapParserTest, ColoursNulBytesAndCarriageReturnsAreNoHindrance) {
  using std::string_literals::operator""s;
  EXPECT_EQ(Shape(Parse("1..2\r\n\x1b[32mok\x1b[0m 1 a\r\r\n"s + "not\0 ok 2 b\xff\n"s)), "a: ok\nb\xff: not ok\n");
}

TEST(KtapParserTest, APlanOfABillionCostsNothing) {
  const ResultTree tree = Parse("1..1000000000\nok 1 a\n", kPanic);
  ASSERT_EQ(tree.tests.size(), 1003);
  EXPECT_EQ(tree.tests.back().name, "(999998998 more tests)");
  EXPECT_EQ(tree.tests.back().verdict, Verdict::kNotRun);
}

TEST(KtapParserTest, ALineOfMegabytesIsTextAndTheNextLineCounts) {
  std::string text = "ok 1 " + std::string(3u << 20, 'x') + "\nok 1 a\n";
  EXPECT_EQ(Shape(Parse(text)), "a: ok\n");
}

TEST(KtapParserTest, ResultsBeyondTheLimitAreCounted) {
  KtapParser parser({.tests = 2});
  parser.Feed("ok 1 a\nok 2 b\nok 3 c\nnot ok 4 d\n");
  const ResultTree tree = parser.Close();
  EXPECT_EQ(tree.results_dropped, 2);
  EXPECT_EQ(tree.failures_dropped, 1);
  EXPECT_FALSE(AllPassed(tree));
}

TEST(KtapParserTest, DeepNestingIsText) {
  std::string text;
  for (int depth = 0; depth < 60; ++depth) text += std::string(static_cast<size_t>(depth), ' ') + "ok 1 x\n";
  const ResultTree tree = Parse(text);
  EXPECT_GT(tree.stream_errors_seen, 0);
  KtapText(tree);
}

TEST(KtapParserTest, ResultsAreToldAsTheyCome) {
  std::string told;
  KtapParser parser({}, [&](const TestResult& result, size_t depth) {
    told += absl::StrFormat("%d %s %s;", depth, result.name, VerdictName(result.verdict));
  });
  parser.Feed("1..2\n# selftests: a: b\n# 1..1\n# #  RUN  x.y ...\n");
  EXPECT_EQ(parser.Running(), "x.y");
  parser.Feed("# ok 1 x.y\nok 1 selfte");
  EXPECT_EQ(told, "1 x.y ok;");
  parser.Feed("sts: a: b\n");
  EXPECT_EQ(told, "1 x.y ok;0 selftests: a: b ok;");
  EXPECT_EQ(parser.Running(), "");
}

TEST(KtapParserTest, ArrivalTimesGiveDurations) {
  KtapParser parser;
  parser.Feed("1..2\n#  RUN  a ...\n", absl::Seconds(1));
  parser.Feed("ok 1 a\n", absl::Seconds(3));
  parser.Feed("ok 2 b\n", absl::Seconds(4));
  const ResultTree tree = parser.Close();
  EXPECT_EQ(tree.tests[0].duration, absl::Seconds(2));
  EXPECT_EQ(tree.tests[1].duration, absl::Seconds(1));
}

}  // namespace
}  // namespace vmm
