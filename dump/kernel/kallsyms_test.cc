#include "dump/kernel/kallsyms.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "absl/strings/str_format.h"
#include "dump/kernel/testing/kallsyms_builder.h"
#include "dump/kernel/testing/made_up_kernel.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint64_t kText = LinuxGuest::kText;
constexpr uint64_t kAt = kText + 0x220000;

// A kernel's image that contains only kallsyms.
class KallsymsTest : public ::testing::Test {
 protected:
  KallsymsTest() : memory_(guest_.memory(), *FindKernel(guest_.snapshot()).map) {
    symbols_ = ManyFunctions(kText + 0x1000, 700);
    symbols_.insert(symbols_.begin(), {{0x1fb80, 'A', "current_task"}, {kText, 'T', "_stext"}, {kText, 'T', "_text"}});
    symbols_.push_back({kText + 0x90000, 't', "sys_open"});
    symbols_.push_back({kText + 0x90100, 't', "function_0007"});  // a static function in another file
    symbols_.push_back({kText + 0x90200, 't', std::string(300, 'x')});
    symbols_.push_back({kText + 0x90300, 'T', "_end"});
  }

  void Put(const KallsymsShape& shape) {
    built_ = BuildKallsyms(symbols_, kAt, shape);
    guest_.Put(GuestAddr{kAt - kText + LinuxGuest::kImagePhys},
               {reinterpret_cast<const char*>(built_.bytes.data()), built_.bytes.size()});
  }

  void ExpectAll(const Kallsyms& kallsyms) {
    std::vector<Symbol> seen;
    kallsyms.ForEach([&](const Symbol& symbol) {
      seen.push_back(symbol);
      return true;
    });
    EXPECT_EQ(seen, symbols_);
  }

  LinuxGuest guest_;
  KernelMemory memory_;
  std::vector<Symbol> symbols_;
  BuiltKallsyms built_;
};

TEST_F(KallsymsTest, EachVersionsLayoutIsFoundInTheImageWithoutHelp) {
  const std::pair<const char*, KallsymsShape> shapes[] = {
      {"4.4", {.base_relative = false, .long_markers = true}},
      {"4.14", {.long_markers = true}},
      {"5.10", {}},
      {"5.10 without SMP", {.absolute_percpu = false}},
      {"6.2", {.seqs_of_names = true}},
      {"6.4", {.addresses_behind = true}},
      {"6.4 with addresses", {.base_relative = false, .addresses_behind = true}},
      {"6.15", {.absolute_percpu = false, .addresses_behind = true}},
      {"7.2", {.absolute_percpu = false, .addresses_behind = true, .place_relative = true, .alignment = 4}},
  };
  for (const auto& [version, shape] : shapes) {
    SCOPED_TRACE(version);
    if (shape.base_relative && !shape.absolute_percpu)
      std::erase_if(symbols_, [](const auto& s) { return s.type == 'A'; });
    Put(shape);
    const auto kallsyms = Kallsyms::Open(memory_, std::nullopt);
    ASSERT_TRUE(kallsyms.ok()) << kallsyms.status();
    ExpectAll(**kallsyms);
  }
}

TEST_F(KallsymsTest, VmcoreInfoTellsWhereTheyAre) {
  Put({});
  const KallsymsTables& tables = built_.tables;
  const auto info = VmcoreInfo::Parse(absl::StrFormat(
      "OSRELEASE=6.1.0\nSYMBOL(kallsyms_names)=%x\nSYMBOL(kallsyms_num_syms)=%x\nSYMBOL(kallsyms_token_table)=%x\n"
      "SYMBOL(kallsyms_token_index)=%x\nSYMBOL(kallsyms_offsets)=%x\nSYMBOL(kallsyms_relative_base)=%x\n",
      tables.names, tables.num_syms, tables.token_table, tables.token_index, tables.addresses[0].table,
      *tables.addresses[0].relative_base));
  const auto by_info = KallsymsByVmcoreInfo(memory_, *info);
  ASSERT_TRUE(by_info.ok());
  EXPECT_EQ(by_info->names, tables.names);
  const auto kallsyms = Kallsyms::Open(memory_, *info);
  ASSERT_TRUE(kallsyms.ok()) << kallsyms.status();
  ExpectAll(**kallsyms);
}

TEST_F(KallsymsTest, VmcoreInfoWithoutABaseMeansOffsetsFromTheirOwnPlaces) {
  std::erase_if(symbols_, [](const auto& s) { return s.type == 'A'; });
  Put({.addresses_behind = true, .place_relative = true, .alignment = 4});
  const KallsymsTables& tables = built_.tables;
  const auto info = VmcoreInfo::Parse(absl::StrFormat(
      "OSRELEASE=7.2.13\nSYMBOL(kallsyms_names)=%x\nSYMBOL(kallsyms_num_syms)=%x\nSYMBOL(kallsyms_token_table)=%x\n"
      "SYMBOL(kallsyms_token_index)=%x\nSYMBOL(kallsyms_offsets)=%x\n",
      tables.names, tables.num_syms, tables.token_table, tables.token_index, tables.addresses[0].table));
  const auto by_info = KallsymsByVmcoreInfo(memory_, *info);
  ASSERT_TRUE(by_info.ok());
  const auto kallsyms = Kallsyms::Read(memory_, *by_info);
  ASSERT_TRUE(kallsyms.ok()) << kallsyms.status();
  ExpectAll(**kallsyms);
}

TEST_F(KallsymsTest, AVmcoreInfoThatIsWrongDoesNotHideThem) {
  Put({});
  const auto info = VmcoreInfo::Parse(absl::StrFormat(
      "OSRELEASE=6.1.0\nSYMBOL(kallsyms_names)=%x\nSYMBOL(kallsyms_num_syms)=%x\nSYMBOL(kallsyms_token_table)=%x\n"
      "SYMBOL(kallsyms_token_index)=%x\n",
      kText, kText, kText, kText));
  const auto kallsyms = Kallsyms::Open(memory_, *info);
  ASSERT_TRUE(kallsyms.ok()) << kallsyms.status();
  EXPECT_EQ((*kallsyms)->size(), symbols_.size());
}

TEST_F(KallsymsTest, ANameIsFoundWhereverItIs) {
  Put({});
  const auto kallsyms = Kallsyms::Open(memory_, std::nullopt);
  ASSERT_TRUE(kallsyms.ok());
  EXPECT_EQ((*kallsyms)->Find("sys_open"), kText + 0x90000);
  EXPECT_EQ((*kallsyms)->Find("current_task"), 0x1fb80u);
  EXPECT_EQ((*kallsyms)->Find(std::string(300, 'x')), kText + 0x90200);
  EXPECT_THAT((*kallsyms)->FindAll("function_0007"), ElementsAre(kText + 0x1070, kText + 0x90100));
  EXPECT_EQ((*kallsyms)->Find("function_"), std::nullopt);
  EXPECT_EQ((*kallsyms)->Find("function_00070"), std::nullopt);
  EXPECT_EQ((*kallsyms)->Find(""), std::nullopt);
}

TEST_F(KallsymsTest, AnAddressLiesInTheSymbolBeforeIt) {
  Put({});
  const auto kallsyms = Kallsyms::Open(memory_, std::nullopt);
  ASSERT_TRUE(kallsyms.ok());
  EXPECT_EQ((*kallsyms)->At(kText + 0x1000 + 16 * 300 + 5), (SymbolAt{"function_0300", 5, 16}));
  EXPECT_EQ((*kallsyms)->At(kText + 0x10), (SymbolAt{"_stext", 0x10, 0x1000}));  // the first of two symbols there
  EXPECT_EQ((*kallsyms)->At(kText + 0x90300), (SymbolAt{"_end", 0, 0}));
  EXPECT_EQ((*kallsyms)->At(kText - 1), std::nullopt);
  EXPECT_EQ((*kallsyms)->At(0x1fb80), std::nullopt);  // the offset of a per-CPU variable is no address
  EXPECT_EQ((*kallsyms)->At(kText + LinuxGuest::kImageSize), std::nullopt);
}

TEST_F(KallsymsTest, AnImageWithoutThemIsSaidToBeSo) {
  const auto kallsyms = Kallsyms::Open(memory_, std::nullopt);
  EXPECT_EQ(kallsyms.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(kallsyms.status().message()), HasSubstr("CONFIG_KALLSYMS"));
}

TEST_F(KallsymsTest, TablesWhoseAddressesAreInNoOrderAreRefused) {
  std::swap(symbols_[100].address, symbols_[400].address);
  Put({});
  const auto kallsyms = Kallsyms::Open(memory_, std::nullopt);
  EXPECT_THAT(std::string(kallsyms.status().message()), HasSubstr("ascending order"));
}

}  // namespace
}  // namespace vmm
