#include "base/json_text.h"

#include "gtest/gtest.h"

namespace vmm {
namespace {

using nlohmann::ordered_json;

ordered_json Written(const ordered_json& json) { return ordered_json::parse(JsonText(json, -1)); }

TEST(JsonTextTest, TextStandsAsItIsAndAlone) {
  const ordered_json json = {{"path", "a/\u00e4/\ufffd"}, {"lines", {"one", "two"}}, {"number", 1}};
  EXPECT_EQ(Written(json), json) << "a U+FFFD that was there is no replaced byte";
}

TEST(JsonTextTest, BytesThatAreNoTextAreReplacedAndKeptBesides) {
  const ordered_json json = Written({{"dump", {{"path", "out/\xff/core"}}}, {"next", 1}});
  EXPECT_EQ(json["dump"]["path"], "out/\ufffd/core");
  EXPECT_EQ(json["dump"]["path_base64"], "b3V0L/8vY29yZQ==");
  EXPECT_EQ(json["next"], 1);
}

TEST(JsonTextTest, TwoPathsThatLookAlikeAreToldApart) {
  const ordered_json a = Written({{"path", "\xff"}}), b = Written({{"path", "\xfe"}});
  EXPECT_EQ(a["path"], b["path"]);
  EXPECT_NE(a["path_base64"], b["path_base64"]);
}

TEST(JsonTextTest, OfAnArrayOnlyTheStringsInNeedHaveASecondForm) {
  const ordered_json json = Written({{"lines", {"good", "bad \xc3", 7}}});
  EXPECT_EQ(json["lines"][1], "bad \ufffd");
  EXPECT_EQ(json["lines_base64"], ordered_json({nullptr, "YmFkIMM=", nullptr}));
}

TEST(JsonTextTest, ObjectsInAnArrayHaveTheirOwn) {
  const ordered_json json = Written({{"seen", {{{"line", "x\x80"}}, {{"line", "y"}}}}});
  EXPECT_EQ(json["seen"][0]["line_base64"], "eIA=");
  EXPECT_FALSE(json["seen"][1].contains("line_base64"));
  EXPECT_FALSE(json.contains("seen_base64"));
}

TEST(JsonTextTest, ForATerminalItIsAscii) {
  EXPECT_EQ(JsonText({{"a", "\u00e4\xff"}}, -1, JsonCharset::kAscii), R"({"a":"\u00e4\ufffd","a_base64":"w6T/"})");
}

TEST(JsonTextTest, WhatMayNotBeShownIsEscapedAndStillMeansTheSame) {
  const ordered_json json = {{"a", "\u009b2J\u202e\u2069\x7f\x1b\r\u00e4"}};
  const std::string text = JsonText(json, 2);
  EXPECT_EQ(text, "{\n  \"a\": \"\\u009b2J\\u202e\\u2069\\u007f\\u001b\\r\u00e4\"\n}");
  EXPECT_EQ(ordered_json::parse(text), json);
}

TEST(JsonTextTest, Utf8IsWhatTheStandardSaysAndNoMore) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8(std::string_view("a\0b", 3)));
  EXPECT_TRUE(IsUtf8("\xf0\x9f\x90\xa7"));
  for (const char* bad : {"\xff", "\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_FALSE(IsUtf8(bad)) << bad;
  }
}

}  // namespace
}  // namespace vmm
