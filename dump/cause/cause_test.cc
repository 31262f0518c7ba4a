#include "dump/cause/cause.h"

#include <gmock/gmock.h>

#include <cstddef>

#include "dump/kernel/testing/made_up_kernel.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CauseTest : public ::testing::Test {
 protected:
  using K = MadeUpKernel;

  // The place of CPU 1's saved registers: asm_sysvec_reboot has interrupted default_idle.
  uint64_t SavedRegisters() { return kernel_.rsp(1) + 0x20; }

  // Makes CPU 1 die in default_idle of an exception whose entry code is named `handler`. `code` is the instruction.
  void Fault(std::string handler, std::string_view code) {
    handler_ = std::move(handler);
    kernel_.Put32(K::kPanicCpu, 1);
    kernel_.Put(K::kIdle, std::string(0xb, '\x90'));
    kernel_.Put(K::kIdle + 0xb, code);
  }
  void PutRegister(size_t offset, uint64_t value) { kernel_.PutStack(SavedRegisters() + offset, value); }

  Cause Find() {
    std::vector<Symbol> symbols = kernel_.symbols();
    for (Symbol& symbol : symbols) {
      if (symbol.name == "asm_sysvec_reboot" && !handler_.empty()) symbol.name = handler_;
      if (symbol.address >= LinuxGuest::kText) symbol.address -= LinuxGuest::kKernelOffset;
    }
    auto view = KernelView::Open(kernel_.guest().memory(), kernel_.Find(),
                                 std::make_unique<SymbolList>("test", std::move(symbols)));
    EXPECT_TRUE(view.ok()) << view.status();
    const KernelReport report = MakeKernelReport(**view, kernel_.snapshot().cpus);
    return FindCause(**view, kernel_.guest().memory(), nullptr, report, kernel_.snapshot().cpus);
  }

  K kernel_;
  std::string handler_;
};

TEST_F(CauseTest, ANullPointerIsTracedToItsRegister) {
  Fault("asm_exc_page_fault", {"\x8b\x47\x18", 3});  // mov 0x18(%rdi),%eax
  kernel_.guest().snapshot().cpus[1].cr2 = 0x18;
  PutRegister(offsetof(PtRegs, bx), K::kPanic + 4);
  const Cause cause = Find();
  ASSERT_TRUE(cause.fault.has_value());
  EXPECT_EQ(cause.fault->kind, FaultKind::kPageFault);
  EXPECT_EQ(cause.fault->saved_at, SavedRegisters());
  EXPECT_EQ(cause.function, "default_idle+0xb/0x100");
  EXPECT_EQ(cause.why, "default_idle+0xb/0x100 reads 4 bytes at rdi+0x18 = 0x18 (NULL+0x18); rdi is NULL");
  EXPECT_EQ(cause.certainty, Certainty::kSure);
  ASSERT_TRUE(cause.memory.has_value());
  EXPECT_EQ(cause.memory->meaning.region, Region::kNullPage);
  ASSERT_TRUE(cause.memory->page.has_value());
  EXPECT_FALSE(cause.memory->page->present);
  ASSERT_EQ(cause.code.at_fault, 11u);  // the NOPs
  EXPECT_THAT(cause.code.lines[11].text, HasSubstr("0x18(%rdi)"));
  for (const RegisterMeaning& known : cause.registers) {
    if (known.name == "rbx") {
      EXPECT_EQ(known.words, "panic+0x4/0x100");
    }
  }
}

TEST_F(CauseTest, APoisonedPointerIsNamed) {
  Fault("asm_exc_general_protection", {"\x8b\x47\x18", 3});
  PutRegister(offsetof(PtRegs, di), 0xdead000000000100);
  const Cause cause = Find();
  EXPECT_THAT(cause.why, HasSubstr("rdi+0x18 = 0xdead000000000118"));
  EXPECT_THAT(cause.why, HasSubstr("LIST_POISON1"));
  ASSERT_TRUE(cause.memory.has_value());
  EXPECT_EQ(cause.memory->meaning.region, Region::kPoison);
}

TEST_F(CauseTest, ACr2ThatFitsNoOperandIsAGuess) {
  Fault("asm_exc_page_fault", {"\x8b\x47\x18", 3});
  kernel_.guest().snapshot().cpus[1].cr2 = 0xffffc90000000123;
  const Cause cause = Find();
  EXPECT_EQ(cause.operand, std::nullopt);
  ASSERT_TRUE(cause.memory.has_value());
  EXPECT_EQ(cause.memory->source, "CR2");
  EXPECT_EQ(cause.certainty, Certainty::kGuess);
}

TEST_F(CauseTest, AJumpToNullSaysSo) {
  Fault("asm_exc_page_fault", {"\x90", 1});
  PutRegister(offsetof(PtRegs, ip), 0);
  kernel_.guest().snapshot().cpus[1].cr2 = 0;
  const Cause cause = Find();
  EXPECT_THAT(cause.why, HasSubstr("jumped to 0 (NULL)"));
  EXPECT_THAT(cause.code.why_not, HasSubstr("no memory is mapped"));
}

TEST_F(CauseTest, APanicWithoutAFaultHasTasksButNoInstruction) {
  const Cause cause = Find();
  EXPECT_EQ(cause.fault, std::nullopt);
  EXPECT_EQ(cause.memory, std::nullopt);
  EXPECT_THAT(cause.why, IsEmpty());
  ASSERT_TRUE(cause.tasks.has_value());
  EXPECT_EQ(cause.tasks->tasks.size(), 5u);
  EXPECT_THAT(cause.waits.waits, IsEmpty());
  EXPECT_THAT(cause.missing, IsEmpty());
}

TEST_F(CauseTest, RegionsOfTheAddressSpaceAreToldApart) {
  auto view = KernelView::Open(kernel_.guest().memory(), kernel_.Find());
  ASSERT_TRUE(view.ok());
  const std::vector<TaskInfo> tasks;
  Regions regions(**view, tasks, 2, 64 << 20);
  EXPECT_EQ(regions.Explain(0x7ffe00001000).region, Region::kUser);
  EXPECT_EQ(regions.Explain(0x8000000000000000).region, Region::kNonCanonical);
  EXPECT_EQ(regions.Explain(K::kPanic + 4).words, "panic+0x4/0x100");
  EXPECT_EQ(regions.Explain(K::kModule + 4).words, "pvpanic_panic_notify+0x4 [pvpanic]");
  EXPECT_EQ(regions.Explain(kernel_.guest().page_offset() + 0x1234).region, Region::kDirectMap);
  EXPECT_THAT(regions.Explain(kernel_.guest().page_offset() + 0x1234).words, HasSubstr("0x1234"));
  EXPECT_EQ(regions.Explain(0xffffc90000000123).region, Region::kVmalloc);
  EXPECT_EQ(regions.Explain(0xffffea0000000040).region, Region::kVmemmap);
  EXPECT_EQ(regions.Explain(0xfffffe0000001000).region, Region::kCpuEntryArea);
  EXPECT_EQ(regions.Explain(0xffffffffd0000000).region, Region::kModuleArea);
}

}  // namespace
}  // namespace vmm
