#include "dump/kernel/symbol_list.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

constexpr const char* kMap =
    "000000000001fb80 D current_task\nffffffff81000000 T _stext\nffffffff81000000 T startup_64\n"
    "ffffffff81000100 t one\nffffffff81000200 t two\n";

TEST(SymbolListTest, ASystemMapIsRead) {
  const auto symbols = SymbolList::ParseSystemMap("System.map", kMap);
  ASSERT_TRUE(symbols.ok()) << symbols.status();
  EXPECT_EQ((*symbols)->size(), 5u);
  EXPECT_EQ((*symbols)->Find("one"), 0xffffffff81000100);
  EXPECT_EQ((*symbols)->At(0xffffffff81000123), (SymbolAt{"one", 0x23, 0x100}));
  EXPECT_EQ((*symbols)->At(0xffffffff81000001)->name, "_stext");
  EXPECT_EQ((*symbols)->At(0xffffffff81000205), (SymbolAt{"two", 5, 0}));
}

TEST(SymbolListTest, KaslrMovesTheImageButNoPerCpuOffset) {
  const auto symbols = SymbolList::ParseSystemMap("System.map", kMap);
  ASSERT_TRUE(symbols.ok());
  const auto moved = (*symbols)->Moved(0x1000000);
  EXPECT_EQ(moved->Find("two"), 0xffffffff82000200);
  EXPECT_EQ(moved->Find("current_task"), 0x1fb80u);
  EXPECT_EQ(moved->At(0xffffffffc0000000), std::nullopt);
}

TEST(SymbolListTest, ALineThatIsSomethingElseIsNamed) {
  const auto symbols = SymbolList::ParseSystemMap("a file", "ffffffff81000000 T _stext\nhello\n");
  EXPECT_THAT(std::string(symbols.status().message()), HasSubstr("a file line 2"));
  EXPECT_FALSE(SymbolList::ParseSystemMap("an empty file", "").ok());
  EXPECT_FALSE(SymbolList::ParseSystemMap("a file", "ffffffff81000000 T\n").ok());
}

TEST(SymbolListTest, AnElfFileGivesItsSymbolTable) {
  const auto own = SymbolList::ReadFile("/proc/self/exe");
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_TRUE((*own)->Find("main").has_value() || (*own)->Find("_start").has_value());
}

TEST(SymbolListTest, AFileThatIsNeitherIsRefused) {
  const std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/elf";
  EXPECT_FALSE(SymbolList::ReadFile(path).ok());
  std::ofstream(path) << "\177ELF and no more";
  EXPECT_EQ(SymbolList::ReadFile(path).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace vmm
