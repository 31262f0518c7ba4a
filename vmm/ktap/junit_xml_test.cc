#include "vmm/ktap/junit_xml.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vmm/ktap/ktap_parser.h"
#include "vmm/ktap/summary_json.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string XmlOf(std::string_view text, const std::optional<GuestDeath>& death = std::nullopt) {
  KtapParser parser;
  parser.Feed(text);
  return JunitXml(JunitSuitesOf(parser.Close(death), "run", /*must_have_tests=*/true));
}

TEST(JunitXmlTest, AProgramIsASuiteAndASubtestACase) {
  EXPECT_EQ(XmlOf("1..2\n# ok 1 a\n# not ok 2 b\nnot ok 1 selftests: x: y # exit=1\nok 2 z # SKIP why\n"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuites>\n"
            "  <testsuite name=\"run\" tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"1\">\n"
            "    <testcase classname=\"run\" name=\"z\">\n"
            "      <skipped message=\"why\">why</skipped>\n"
            "    </testcase>\n"
            "  </testsuite>\n"
            "  <testsuite name=\"selftests: x: y\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\">\n"
            "    <testcase classname=\"selftests: x: y\" name=\"a\"/>\n"
            "    <testcase classname=\"selftests: x: y\" name=\"b\">\n"
            "      <failure type=\"not ok\" message=\"\"></failure>\n"
            "    </testcase>\n"
            "  </testsuite>\n"
            "</testsuites>\n");
}

TEST(JunitXmlTest, APanicIsAnErrorWithItsReportInTheBody) {
  const std::string xml = XmlOf("1..2\n#  RUN  s.t ...\n", GuestDeath{"panic", "Attempted to kill init!", "RIP: f\n"});
  EXPECT_THAT(xml, HasSubstr("name=\"s.t\">\n      <error type=\"panic\" message=\"panic: Attempted to kill init!\">"
                             "panic: Attempted to kill init!\nRIP: f\n</error>"));
  EXPECT_THAT(xml, HasSubstr("<skipped message=\"not run\">"));
}

TEST(JunitXmlTest, AStreamWithoutTestsHasOneCase) {
  EXPECT_THAT(XmlOf("hello\n"), HasSubstr("<testcase classname=\"run\" name=\"run\">\n      <error"));
  EXPECT_THAT(XmlOf("1..0 # SKIP no\n"), HasSubstr("<skipped message=\"no\">"));
}

TEST(JunitXmlTest, NoTwoCasesHaveOneName) {
  // The path of one test is the name of another.
  const std::string xml = XmlOf("1..3\n# # not ok 1 c\n# not ok 1 b\nnot ok 1 a\n# ok 1 c\nok 2 a.b\nok 3 c\n");
  EXPECT_THAT(xml, HasSubstr("classname=\"a.b\" name=\"c\">"));
  EXPECT_THAT(xml, HasSubstr("classname=\"a.b\" name=\"c (2)\"/>"));
}

TEST(JunitXmlTest, NothingThatXmlForbidsGetsIn) {
  using std::string_literals::operator""s;
  EXPECT_EQ(XmlEscaped("<a b=\"c\" d='e'>&\x1b\0\t\n"s), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;\t\n");
  EXPECT_EQ(XmlEscaped("\xff\xc3\xa9\xed\xa0\x80\xef\xbf\xbe\xf0\x9f\x98\x80\xe2"),
            "\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
            "\xf0\x9f\x98\x80\xef\xbf\xbd");
}

TEST(JunitXmlTest, ALongBodyIsCut) {
  const JunitSuite suite{.name = "s",
                         .cases = {{.name = "c", .verdict = Verdict::kNotOk, .body = std::string(1u << 20, 'x')}}};
  EXPECT_LT(JunitXml(std::span(&suite, 1)).size(), 70'000);
}

TEST(SummaryJsonTest, TotalsAndFailures) {
  KtapParser parser;
  parser.Feed("1..3\n# ok 1 a\n# not ok 2 b\nnot ok 1 p\nok 2 q # SKIP why\n");
  const nlohmann::ordered_json json = TestsJson(parser.Close(GuestDeath{"panic", "x", ""}));
  EXPECT_EQ(json["passed"], false);
  EXPECT_EQ(json["total"], 4);
  EXPECT_EQ(json["ok"], 1);
  EXPECT_EQ(json["crashed"], 1);
  EXPECT_EQ(json["failures"].dump(),
            "[{\"name\":\"p / b\",\"verdict\":\"not ok\",\"message\":\"\"},"
            "{\"name\":\"(unnamed)\",\"verdict\":\"crashed\",\"message\":\"panic: x\"}]");
}

}  // namespace
}  // namespace vmm
