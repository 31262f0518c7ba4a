#include <elf.h>
#include <gmock/gmock.h>

#include <string>

#include "base/budget.h"
#include "dump/kernel/kernel_report.h"
#include "dump/kernel/modules.h"
#include "dump/kernel/testing/made_up_kernel.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// A dump file may have 65,536 PRSTATUS notes. For each, the kernel's symbols were searched for the task.
TEST(KernelReportBudgetTest, OfTooManyCpusTheFirstAreReported) {
  MadeUpKernel kernel;
  const std::vector<CpuState> cpus(20'000, kernel.snapshot().cpus[0]);
  const auto view = KernelView::Open(kernel.guest().memory(), kernel.Find());
  ASSERT_TRUE(view.ok());
  const KernelReport report = MakeKernelReport(**view, cpus, 10, /*dead_cpu=*/19'999);
  EXPECT_EQ(report.cpus.size(), kCpusBudget.steps);
  EXPECT_THAT(report.missing, Contains("20000 CPUs: only the first 8192 are reported"));
  EXPECT_EQ(report.panic_cpu, 0);  // the kernel's own panic_cpu
  EXPECT_EQ(report.cpus[0].frames.size(), 5u);
}

// 256 frames in each of 8,192 CPUs, each with a name, would be 2 million strings.
TEST(KernelReportBudgetTest, AllFramesTogetherHaveOneBudget) {
  MadeUpKernel kernel;
  const auto view = KernelView::Open(kernel.guest().memory(), kernel.Find());
  ASSERT_TRUE(view.ok());
  const size_t frames = (*view)->Unwind(kernel.snapshot().cpus[0]).frames.size();
  ASSERT_EQ(frames, 5u);
  for (size_t i = 1; i < kFramesBudget.steps / frames; ++i) {
    ASSERT_EQ((*view)->Unwind(kernel.snapshot().cpus[0]).frames.size(), frames);
  }
  const Backtrace cut = (*view)->Unwind(kernel.snapshot().cpus[0]);
  EXPECT_TRUE(cut.frames.empty());
  EXPECT_THAT(cut.end, HasSubstr("stopped after 65536 frames, the limit"));
  EXPECT_THAT((*view)->why_not(), Contains(HasSubstr("stopped after 65536 frames, the limit")));
}

// 4,096 modules with two areas each: every word of a stack is compared with all of them.
TEST(KernelReportBudgetTest, ComparisonsWithTheCodeOfManyModulesHaveABudget) {
  MadeUpKernel kernel;
  std::vector<CodeRegion> code(8192, CodeRegion{0xffffffffc0800000, 0x1000, std::nullopt});
  Meter meter(kUnwindBudget);
  for (int cpu = 0; cpu < 8192; ++cpu) Unwind(kernel.memory(), code, kernel.snapshot().cpus[0], meter);
  EXPECT_TRUE(meter.spent());
  EXPECT_LE(meter.steps(), kUnwindBudget.steps);
}

// 256 frames in 256 modules that all have the same table of 100,000 symbols with long names: that was 36 GiB.
TEST(KernelReportBudgetTest, ModulesThatShareATableOfSymbolsShareABudget) {
  LinuxGuest guest;
  MadeUpKernel kernel(guest, {});
  constexpr uint32_t kSymbols = 100'000;
  constexpr uint64_t kTable = 0x3000000;
  std::vector<Elf64_Sym> table(kSymbols);
  for (Elf64_Sym& symbol : table) symbol.st_name = 1, symbol.st_value = MadeUpKernel::kModule;
  guest.Put(GuestAddr{kTable}, {reinterpret_cast<const char*>(table.data()), table.size() * sizeof(Elf64_Sym)});
  const auto view = KernelView::Open(guest.memory(), kernel.Find());
  ASSERT_TRUE(view.ok());
  const Module module = (*view)->modules().at(0);
  constexpr uint64_t kTableOfModule = MadeUpKernel::kModuleStruct + 0x600;  // its struct mod_kallsyms
  kernel.PutWord(kTableOfModule, guest.page_offset() + kTable);
  kernel.Put32(kTableOfModule + 8, kSymbols);
  kernel.Put(kTableOfModule + 0x101, std::string(400, 'n') + '\0');
  Meter meter(kModuleSymbolsBudget);
  uint64_t bytes = 0;
  for (int i = 0; i < 256; ++i) {
    const auto symbols = ReadModuleSymbols((*view)->memory(), (*view)->layout(), module, meter);
    if (symbols.ok()) bytes += (*symbols)->size() * 400;
  }
  EXPECT_TRUE(meter.spent());
  EXPECT_LE(bytes, kModuleSymbolsBudget.bytes);
  EXPECT_LE(meter.steps(), kModuleSymbolsBudget.steps);
}

}  // namespace
}  // namespace vmm
