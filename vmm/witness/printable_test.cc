#include "vmm/witness/printable.h"

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

TEST(PrintableTest, TheLettersOfASequenceCanBeKept) {
  EXPECT_EQ(Printable("INFO: task \x1b[:12 blocked", ControlSequences::kKeepLetters), "INFO: task [:12 blocked");
}

TEST(PrintableTest, ACutDoesNotDivideACharacter) {
  EXPECT_EQ(CutText("ab\xe4\xb8\x96", 4), "ab");
  EXPECT_EQ(CutText("ab\xe4\xb8\x96", 5), "ab\xe4\xb8\x96");
}

}  // namespace
}  // namespace vmm
