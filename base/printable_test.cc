#include "base/printable.h"

#include "gtest/gtest.h"

namespace vmm {
namespace {

std::string Printable(std::string_view bytes) { return Printable(bytes, ControlSequences::kDrop); }

TEST(PrintableTest, TextOfAnyLanguageStaysAsItIs) {
  const std::string_view text = "Grüße, 世界 \U0001f427";
  EXPECT_EQ(Printable(text), text);
}

TEST(PrintableTest, ControlCharactersAndSequencesAreDropped) {
  EXPECT_EQ(Printable("\x1b[1;31mred\x1b[0m\x07 \tand\x7f"), "red and");
  EXPECT_EQ(Printable("a\xc2\x9b"
                      "1mb"),
            "a1mb")
      << "the C1 form of ESC [";
  EXPECT_EQ(Printable("cut \x1b[1;"), "cut ");
}

TEST(PrintableTest, AByteThatIsNoCharacterIsWrittenOut) {
  EXPECT_EQ(Printable("BUG: \377\376 \233x"), "BUG: \\xff\\xfe \\x9bx");
  EXPECT_EQ(Printable("\xc0\x80 \xed\xa0\x80 \xf5\x80"), "\\xc0\\x80 \\xed\\xa0\\x80 \\xf5\\x80");
  EXPECT_EQ(Printable("\xe4\xb8"), "\\xe4\\xb8") << "cut off";
}

TEST(PrintableTest, EveryCharacterThatCommandsATerminalOrALogIsWrittenOut) {
  EXPECT_EQ(Escaped("a\x1b[2Jb\rc\x0b\x0c\x7f\n\t"), "a\\x1b[2Jb\\x0dc\\x0b\\x0c\\x7f\\x0a\\x09");
  EXPECT_EQ(Escaped("one\ntwo\r", "\n"), "one\ntwo\\x0d");
  EXPECT_EQ(Escaped("\xc2\x9b\xc2\x85"), "\\xc2\\x9b\\xc2\\x85") << "C1";
  EXPECT_EQ(Escaped("a\0b"), "a");
  EXPECT_EQ(Escaped(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(Escaped("\xff\xc0\x80"), "\\xff\\xc0\\x80") << "not UTF-8";
  EXPECT_EQ(Escaped("Grüße, 世界 \U0001f427 \u00a0 \\"), "Grüße, 世界 \U0001f427 \u00a0 \\");
}

TEST(PrintableTest, AControlOfTheWritingDirectionIsWrittenOut) {
  for (const char* control : {"\u061c", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202b", "\u202c", "\u202d",
                              "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"}) {
    EXPECT_EQ(PrintableLength(control), 0u) << Escaped(control);
  }
  EXPECT_EQ(Escaped("gnp.\u202etxt"), "gnp.\\xe2\\x80\\xaetxt");
  EXPECT_EQ(Printable("gnp.\u202etxt"), "gnp.\\xe2\\x80\\xaetxt");
  EXPECT_EQ(PrintableLength("\u2027"), 3u);
  EXPECT_EQ(PrintableLength("\u2030"), 3u);
}

TEST(PrintableTest, TheLettersOfASequenceCanBeKept) {
  EXPECT_EQ(Printable("INFO: task \x1b[:12 blocked", ControlSequences::kKeepLetters), "INFO: task [:12 blocked");
}

TEST(PrintableTest, ACutDoesNotDivideACharacter) {
  EXPECT_EQ(CutText("ab\xe4\xb8\x96", 4), "ab");
  EXPECT_EQ(CutText("ab\xe4\xb8\x96", 5), "ab\xe4\xb8\x96");
}

}  // namespace
}  // namespace vmm
