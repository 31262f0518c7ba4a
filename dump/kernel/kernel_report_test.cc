#include "dump/kernel/kernel_report.h"

#include <gmock/gmock.h>

#include "absl/strings/str_format.h"
#include "dump/kernel/testing/made_up_kernel.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

KernelReport Report(MadeUpKernel& kernel, FoundKernel found, std::unique_ptr<SymbolList> given = nullptr) {
  const auto view = KernelView::Open(kernel.guest().memory(), found, std::move(given));
  EXPECT_TRUE(view.ok()) << view.status();
  return MakeKernelReport(**view, kernel.snapshot().cpus);
}

std::vector<std::string> Names(const CpuReport& cpu) {
  std::vector<std::string> names;
  for (const ReportFrame& frame : cpu.frames) names.push_back(frame.Name());
  return names;
}

TEST(KernelReportTest, TheWholeDeathIsTold) {
  MadeUpKernel kernel;
  const KernelReport report = Report(kernel, kernel.Find());
  EXPECT_EQ(report.release, LinuxGuest::kRelease);
  EXPECT_THAT(report.banner, HasSubstr("made up"));
  EXPECT_EQ(report.message.panic, "sysrq triggered crash");
  EXPECT_EQ(report.uptime_ns, 3'000'001'000u);
  EXPECT_EQ(report.taint, "GW");
  EXPECT_EQ(report.panic_cpu, 0);
  EXPECT_EQ(report.signature.size(), 16u);
  ASSERT_EQ(report.cpus.size(), 2u);
  EXPECT_EQ(report.cpus[0].task->comm, "sh");
  EXPECT_EQ(report.cpus[0].task->pid, 96);
  EXPECT_EQ(report.cpus[1].task->comm, "swapper/0");
  EXPECT_THAT(Names(report.cpus[0]),
              ElementsAre("pvpanic_panic_notify+0x60 [pvpanic]", "panic+0x77/0x100", "sysrq_handle_crash+0x16/0x100",
                          "do_syscall_64+0x5d/0x100", "entry_SYSCALL_64+0x6e/0x100"));
  EXPECT_THAT(Names(report.cpus[1]), ElementsAre("stop_this_cpu+0x60/0x100", "asm_sysvec_reboot+0x16/0x100",
                                                 "default_idle+0xb/0x100", "start_secondary+0x2a/0x100"));
  ASSERT_EQ(report.modules.size(), 1u);
  EXPECT_EQ(report.modules[0].name, "pvpanic");
  EXPECT_EQ(report.modules[0].base, MadeUpKernel::kModule);
  EXPECT_EQ(report.modules[0].size, kPageSize);
  EXPECT_EQ(report.log.size(), 3u);
  EXPECT_THAT(report.missing, IsEmpty());
}

// As in a dump by kdump: the CPU is in a function without ORC data, which panic() has called.
TEST(KernelReportTest, TheSignatureIsTheSameWherePanicIsFoundByALookThroughTheStack) {
  MadeUpKernel kernel;
  const std::string signature = Report(kernel, kernel.Find()).signature;
  kernel.guest().snapshot().cpus[0].rip = MadeUpKernel::kText + 0x10;  // before the first ORC entry
  const KernelReport report = Report(kernel, kernel.Find());
  ASSERT_GE(report.cpus[0].frames.size(), 3u);
  EXPECT_EQ(report.cpus[0].frames[1].Name(), "panic+0x77/0x100");
  EXPECT_TRUE(report.cpus[0].frames[1].frame.guess);
  EXPECT_FALSE(report.cpus[0].frames[2].frame.guess);
  EXPECT_EQ(report.signature, signature);
}

TEST(KernelReportTest, BeforeVmcoreInfoExistsTheKernelsOwnTablesAreEnough) {
  MadeUpKernel kernel;
  FoundKernel found = kernel.Find();
  found.vmcoreinfo.reset();
  const KernelReport report = Report(kernel, found);
  EXPECT_EQ(report.release, LinuxGuest::kRelease);
  EXPECT_EQ(Names(report.cpus[0])[1], "panic+0x77/0x100");
  EXPECT_THAT(report.missing, Contains(HasSubstr("printk_ringbuffer")));  // this made-up BTF has no such struct
}

TEST(KernelReportTest, WithoutBtfTasksAndModulesAreFoundByTheirLooks) {
  MadeUpKernel kernel({.btf = false});
  const KernelReport report = Report(kernel, kernel.Find());
  EXPECT_EQ(report.cpus[0].task->comm, "sh");
  EXPECT_EQ(report.cpus[0].task->pid, std::nullopt);
  ASSERT_EQ(report.modules.size(), 1u);
  EXPECT_EQ(report.modules[0].base, MadeUpKernel::kModule);
  EXPECT_THAT(Names(report.cpus[0])[0], HasSubstr("[pvpanic]"));
  EXPECT_THAT(report.missing, Contains(HasSubstr("CONFIG_DEBUG_INFO_BTF")));
}

TEST(KernelReportTest, AListOfModulesThatGoesInCirclesEnds) {
  MadeUpKernel kernel;
  kernel.PutWord(MadeUpKernel::kModuleStruct + 8, MadeUpKernel::kModuleStruct + 8);
  EXPECT_EQ(Report(kernel, kernel.Find()).modules.size(), 1u);
}

TEST(KernelReportTest, SymbolsFromOutsideAreMovedByKaslr) {
  MadeUpKernel kernel;
  std::string map;
  for (const Symbol& symbol : kernel.symbols()) {
    const bool moves = symbol.address >= LinuxGuest::kText;
    map += absl::StrFormat("%016x %c %s\n", symbol.address - (moves ? LinuxGuest::kKernelOffset : 0), symbol.type,
                           symbol.name);
  }
  const KernelReport report = Report(kernel, kernel.Find(), *SymbolList::ParseSystemMap("System.map", map));
  EXPECT_THAT(report.symbols, HasSubstr("System.map"));
  EXPECT_EQ(Names(report.cpus[0])[1], "panic+0x77/0x100");
}

TEST(KernelReportTest, SymbolsOfAnotherKernelAreRefused) {
  MadeUpKernel kernel;
  auto other = SymbolList::ParseSystemMap("other", "ffffffff81000000 T _stext\nffffffff81000800 T linux_banner\n");
  EXPECT_THAT(
      std::string(KernelView::Open(kernel.guest().memory(), kernel.Find(), *std::move(other)).status().message()),
      HasSubstr("another kernel"));
  auto debians = SymbolList::ParseSystemMap("debians", "ffffffffffffffff B The real System.map is elsewhere\n");
  EXPECT_THAT(
      std::string(KernelView::Open(kernel.guest().memory(), kernel.Find(), *std::move(debians)).status().message()),
      HasSubstr("no linux_banner"));
}

TEST(KernelReportTest, AGuestWithNoKernelIsRefusedWithTheReason) {
  MadeUpKernel kernel;
  FoundKernel found = kernel.Find();
  found.map.reset();
  found.why_not = "nothing there";
  EXPECT_EQ(KernelView::Open(kernel.guest().memory(), found).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(ReadGuestLog(kernel.guest().memory(), found).status().message()), HasSubstr("nothing there"));
}

TEST(KernelReportTest, TheLogAloneNeedsNoSymbols) {
  MadeUpKernel kernel;
  kernel.Put(MadeUpKernel::kKallsyms, std::string(4096, '\0'));
  const auto log = ReadGuestLog(kernel.guest().memory(), kernel.Find(), 1);
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_THAT(log->at(0).text, HasSubstr("Kernel panic"));
}

}  // namespace
}  // namespace vmm
