#include "vmm/catch/fit_symbols.h"

#include <string>

#include "dump/kernel/testing/made_up_kernel.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using K = MadeUpKernel;

constexpr uint64_t kTable = K::kData + 0x700;

// The address in the symbol file, which does not know of KASLR.
constexpr uint64_t Linked(uint64_t address) { return address - LinuxGuest::kKernelOffset; }

std::vector<Symbol> TheKernels() {
  return {{Linked(K::kText), 'T', "_text"},
          {Linked(K::kCaller), 'T', "__x64_sys_read"},
          {Linked(K::kData), 'R', "linux_banner"},
          {Linked(kTable), 'R', "sys_call_table"}};
}

class FitSymbolsTest : public testing::Test {
 protected:
  FitSymbolsTest() { kernel_.PutWord(kTable, K::kCaller); }

  std::string WhyNot(std::vector<Symbol> symbols) {
    const auto fitted = FitSymbols(SymbolList("System.map", std::move(symbols)), kernel_.memory());
    return std::string(fitted.status().message());
  }

  K kernel_;
};

TEST_F(FitSymbolsTest, TheKernelsOwnAreMovedAsKaslrMovedIt) {
  const auto fitted = FitSymbols(SymbolList("System.map", TheKernels()), kernel_.memory());
  ASSERT_TRUE(fitted.ok()) << fitted.status();
  EXPECT_EQ((*fitted)->Find("__x64_sys_read"), K::kCaller);
}

TEST_F(FitSymbolsTest, AnotherKernelsBannerIsElsewhere) {
  std::vector<Symbol> symbols = TheKernels();
  symbols[2].address += 0x40;
  EXPECT_EQ(
      WhyNot(symbols),
      "System.map is of another kernel: at its linux_banner, here 0xffffffff87420040, there is no \"Linux version\"");
}

TEST_F(FitSymbolsTest, AnotherBuildsFunctionsAreElsewhere) {
  std::vector<Symbol> symbols = TheKernels();
  symbols[1].address += 0x10;
  EXPECT_EQ(
      WhyNot(symbols),
      "System.map is of another build: at its sys_call_table, here 0xffffffff87420700, the first entry is not its "
      "sys_read");
}

TEST_F(FitSymbolsTest, AListThatIsNoKernelsIsToldSo) {
  EXPECT_TRUE(WhyNot({{0x1000, 'T', "main"}}).starts_with("System.map has no _text and linux_banner"));
}

TEST_F(FitSymbolsTest, AKernelWithoutATableOfSystemCallsIsTakenByItsBanner) {
  std::vector<Symbol> symbols = TheKernels();
  symbols.pop_back();
  EXPECT_EQ(WhyNot(symbols), "");
}

}  // namespace
}  // namespace vmm
