#include "dump/snapshot/dump_format.h"

#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(DumpFormatTest, ANameIsReadBackAsItsFormat) {
  for (const DumpFormat format : {DumpFormat::kElf, DumpFormat::kKdumpZlib, DumpFormat::kKdumpZstd}) {
    EXPECT_EQ(*ParseDumpFormat(NameOf(format)), format);
  }
}

TEST(DumpFormatTest, OtherWordsAreRefused) {
  for (const char* word : {"", "kdump", "ELF", "kdump-lzo", "elf "}) EXPECT_FALSE(ParseDumpFormat(word).ok()) << word;
  for (const char* word : {"", "2", "-1", "031", "31 ", "all"}) EXPECT_FALSE(ParseDumpLevel(word).ok()) << word;
  EXPECT_EQ(*ParseDumpLevel("31"), 31);
  EXPECT_EQ(*ParseDumpLevel("0"), 0);
}

}  // namespace
}  // namespace vmm
