#include <gmock/gmock.h>

#include <chrono>
#include <string>

#include "base/budget.h"
#include "dump/kernel/kallsyms.h"
#include "dump/kernel/testing/kallsyms_builder.h"
#include "dump/kernel/testing/made_up_kernel.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kAt = LinuxGuest::kText + 0x220000;
constexpr uint64_t kAddress = LinuxGuest::kText + 0x1000;
constexpr size_t kSymbols = 250'000;  // as many as fit into the image

// A kernel whose symbols all have the same name and address.
class KallsymsBudgetTest : public ::testing::Test {
 protected:
  KallsymsBudgetTest() : memory_(guest_.memory(), *FindKernel(guest_.snapshot()).map) {
    const std::vector<Symbol> symbols(kSymbols, {kAddress, 't', "function_"});
    built_ = BuildKallsyms(symbols, kAt, {.absolute_percpu = false});
    Put(kAt, {reinterpret_cast<const char*>(built_.bytes.data()), built_.bytes.size()});
  }

  void Put(uint64_t vaddr, std::string_view bytes) {
    guest_.Put(GuestAddr{vaddr - LinuxGuest::kText + LinuxGuest::kImagePhys}, bytes);
  }

  LinuxGuest guest_;
  KernelMemory memory_;
  BuiltKallsyms built_;
};

TEST_F(KallsymsBudgetTest, SymbolsThatShareAnAddressAreNotWalkedOneByOne) {
  const auto kallsyms = Kallsyms::Read(memory_, built_.tables);
  ASSERT_TRUE(kallsyms.ok()) << kallsyms.status();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 100'000; ++i) ASSERT_EQ((*kallsyms)->At(kAddress + 5)->offset, 5u);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));  // once 25,000 million steps
}

TEST_F(KallsymsBudgetTest, ANameIsSearchedForOnceHoweverManyCpusAskForIt) {
  const auto kallsyms = Kallsyms::Read(memory_, built_.tables);
  ASSERT_TRUE(kallsyms.ok()) << kallsyms.status();
  for (int cpu = 0; cpu < 8192; ++cpu) ASSERT_FALSE((*kallsyms)->Find("current_task").has_value());
  EXPECT_EQ((*kallsyms)->compared(), kSymbols);
  EXPECT_LE((*kallsyms)->FindAll("function_").size(), 4096u);
}

TEST_F(KallsymsBudgetTest, FourMillionSymbolsAreRefused) {
  const uint32_t count = 4 << 20;
  Put(built_.tables.num_syms, {reinterpret_cast<const char*>(&count), sizeof(count)});
  EXPECT_THAT(std::string(Kallsyms::Read(memory_, built_.tables).status().message()),
              HasSubstr("4194304 symbols, not 1 to 2097152"));
}

}  // namespace
}  // namespace vmm
