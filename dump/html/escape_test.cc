#include "dump/html/escape.h"

#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(EscapeTest, NothingThatMeansMarkupIsLeft) {
  EXPECT_EQ(Escape("<script>alert('1')</script>"), "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;");
  EXPECT_EQ(Escape("a\" onload=\"x & y"), "a&quot; onload=&quot;x &amp; y");
  for (int c = 0; c < 256; ++c) {
    const std::string escaped = Escape(std::string(1, static_cast<char>(c)));
    EXPECT_EQ(escaped.find_first_of("<>\"'\n"), escaped.npos) << c;
    for (const char out : escaped) EXPECT_TRUE(out >= ' ' && out <= '~') << c;
  }
}

TEST(EscapeTest, BytesAreShownByNumberAndLinesKeptWhereTheyMayBe) {
  EXPECT_EQ(Escape("\x1b[1m\n\xff"), "\\x1b[1m\\x0a\\xff");
  EXPECT_EQ(Escape("a\nb", /*lines=*/true), "a\nb");
}

TEST(EscapeTest, WhatIsTooLongIsCut) { EXPECT_EQ(Escape("<<<<", false, 2), "&lt;&lt;..."); }

}  // namespace
}  // namespace vmm
