#include "vmm/harness/init_words.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace vmm {
namespace {

TEST(InitWordsTest, TheLineIsFoundThoughItsBytesComeOneByOne) {
  InitWords words;
  for (const char byte : std::string("[    1.5] Run /init\r\n[    2.0] vmm-init: no /dev/mem\r\nvmm-init: more\r\n")) {
    words.Scan(BytesOfText(std::string(1, byte)));
  }
  EXPECT_EQ(words.text(), "no /dev/mem");
}

TEST(InitWordsTest, OtherLinesAndEndlessOnesSayNothing) {
  InitWords words;
  words.Scan(BytesOfText(std::string(1 << 20, 'x') + "vmm-init: too far\nvmm-init was here\n"));
  EXPECT_EQ(words.text(), "");
}

TEST(InitWordsTest, BytesThatATerminalWouldObeyAreLeftOut) {
  InitWords words;
  words.Scan(BytesOfText("vmm-init: a\x1b[2Jb\n"));
  EXPECT_EQ(words.text(), "a[2Jb");
}

}  // namespace
}  // namespace vmm
