#include "vmm/catch/trap_set.h"

#include <algorithm>
#include <vector>

#include "dump/kernel/symbol_list.h"
#include "dump/kernel/testing/made_up_kernel.h"
#include "gtest/gtest.h"
#include "vmm/vcpu/testing/scripted_vcpu.h"

namespace vmm {
namespace {

using K = MadeUpKernel;

constexpr CatchKind kPanicOnly[] = {CatchKind::kPanic};
constexpr uint64_t kPlantedAt = K::kStopOthers + 9;  // after ENDBR64 and ftrace's NOP
constexpr uint64_t kCrashPlantedAt = K::kCrashStop + 9;

class TrapSetTest : public testing::Test, public PanicSink {
 protected:
  void OnPanic(const PanicEvent& event) override { panics_.push_back(event); }

  // Plants with the kernel's symbols except those in `without`.
  void Plant(std::vector<std::string_view> without = {}) {
    std::vector<Symbol> symbols;
    for (const Symbol& symbol : kernel_.symbols()) {
      if (std::ranges::find(without, symbol.name) == without.end()) symbols.push_back(symbol);
    }
    auto traps =
        TrapSet::Find(kPanicOnly, kernel_.memory(), SymbolList("test", symbols), kernel_.guest().memory(), *this);
    ASSERT_TRUE(traps.ok()) << traps.status();
    traps_ = *std::move(traps);
    ASSERT_TRUE(traps_->Plant().ok());
  }

  // Returns the next step of a vCPU that runs into the OUT at `address`.
  NextStep Meet(uint64_t address, uint64_t rdi = 0) {
    vcpu_.set_state({.rdi = rdi, .rip = address + 2});
    return traps_->OnTrap(vcpu_);
  }

  std::vector<uint8_t> Code(uint64_t address) { return *kernel_.memory().ReadBytes(address, 2); }
  bool IsPlanted(uint64_t address) { return std::ranges::equal(Code(address), kPlantedOut); }

  K kernel_;
  std::vector<PanicEvent> panics_;
  ScriptedVcpu vcpu_{3};
  std::unique_ptr<TrapSet> traps_;
};

TEST_F(TrapSetTest, APanicIsCaughtAndTheCodeGivenBack) {
  const std::vector<uint8_t> before = Code(kPlantedAt);
  Plant();
  EXPECT_TRUE(IsPlanted(kPlantedAt));
  kernel_.Put32(K::kPanicCpu, 3);
  EXPECT_EQ(Meet(kPlantedAt), NextStep::kStop);
  ASSERT_EQ(panics_.size(), 1u);
  EXPECT_EQ(panics_[0].source, PanicSource::kTrap);
  EXPECT_EQ(panics_[0].vcpu, 3);
  EXPECT_FALSE(panics_[0].crash_loaded);
  EXPECT_EQ(Code(kPlantedAt), before);
  EXPECT_EQ(vcpu_.state().rip, kPlantedAt);
}

TEST_F(TrapSetTest, WhatIsFoundIsNotYetPlanted) {
  const std::vector<uint8_t> before = Code(kPlantedAt);
  const SymbolList symbols("test", kernel_.symbols());
  const auto traps = TrapSet::Find(kPanicOnly, kernel_.memory(), symbols, kernel_.guest().memory(), *this);
  ASSERT_TRUE(traps.ok()) << traps.status();
  EXPECT_EQ((*traps)->points().size(), 2u);
  EXPECT_EQ(Code(kPlantedAt), before);
  (*traps)->Remove();
  EXPECT_EQ(Code(kPlantedAt), before);
}

TEST_F(TrapSetTest, ARebootStopsTheOtherCpusTooAndIsNoPanic) {
  Plant();
  kernel_.Put32(K::kPanicCpu, ~0u);
  EXPECT_EQ(Meet(kPlantedAt, /*rdi=*/1), NextStep::kResume);
  EXPECT_TRUE(panics_.empty());
  EXPECT_EQ(vcpu_.state().rip, kPlantedAt);
  EXPECT_FALSE(IsPlanted(kPlantedAt));
}

TEST_F(TrapSetTest, WithoutPanicCpuTheArgumentTellsARebootFromAPanic) {
  Plant({"panic_cpu"});
  EXPECT_EQ(Meet(kPlantedAt, /*rdi=*/1), NextStep::kResume);
  Plant({"panic_cpu"});
  EXPECT_EQ(Meet(kPlantedAt, /*rdi=*/0), NextStep::kStop);
  EXPECT_EQ(panics_.size(), 1u);
}

TEST_F(TrapSetTest, AKernelWithACrashKernelGoesOnWithAllOfItsCode) {
  Plant();
  kernel_.PutWord(K::kKexecCrashImage, 0xffff888012345000);
  EXPECT_EQ(Meet(kCrashPlantedAt), NextStep::kResume);
  ASSERT_EQ(panics_.size(), 1u);
  EXPECT_TRUE(panics_[0].crash_loaded);
  EXPECT_FALSE(IsPlanted(kPlantedAt));
  EXPECT_FALSE(IsPlanted(kCrashPlantedAt));
}

TEST_F(TrapSetTest, AKernelOnItsWayIntoACrashKernelGoesOn) {
  const SymbolList symbols(
      "test", {{K::kStopOthers, 't', "native_stop_other_cpus"}, {K::kIdle, 't', "native_machine_crash_shutdown"}});
  auto traps = TrapSet::Find(kPanicOnly, kernel_.memory(), symbols, kernel_.guest().memory(), *this);
  ASSERT_TRUE(traps.ok()) << traps.status();
  traps_ = *std::move(traps);
  ASSERT_TRUE(traps_->Plant().ok());
  EXPECT_EQ(Meet(traps_->points()[1].address), NextStep::kResume);
  ASSERT_EQ(panics_.size(), 1u);
  EXPECT_TRUE(panics_[0].crash_loaded);
}

TEST_F(TrapSetTest, WithNoCrashKernelThatWayIsAPanic) {
  Plant();
  EXPECT_EQ(Meet(kCrashPlantedAt), NextStep::kStop);
  EXPECT_FALSE(panics_[0].crash_loaded);
}

TEST_F(TrapSetTest, WhereNobodyCanTellACrashKernelIsLeftAlone) {
  Plant({"kexec_crash_image"});
  EXPECT_EQ(Meet(kCrashPlantedAt), NextStep::kResume);
  EXPECT_TRUE(panics_.empty());
}

TEST_F(TrapSetTest, AnOutOfTheGuestsOwnIsNone) {
  Plant();
  EXPECT_EQ(Meet(K::kIdle), NextStep::kResume);
  EXPECT_TRUE(panics_.empty());
  EXPECT_EQ(vcpu_.state().rip, K::kIdle + 2);
}

TEST_F(TrapSetTest, CodeThatTheKernelHasChangedMeanwhileStays) {
  Plant();
  kernel_.Put(kPlantedAt, "\xcc\x90");
  traps_->Remove();
  EXPECT_EQ(Code(kPlantedAt), (std::vector<uint8_t>{0xcc, 0x90}));
}

TEST_F(TrapSetTest, AKernelWithoutTheFunctionsIsToldAndLeftAsItWas) {
  const SymbolList symbols("test", {{K::kPanic, 'T', "panic"}});
  const auto traps = TrapSet::Find(kPanicOnly, kernel_.memory(), symbols, kernel_.guest().memory(), *this);
  EXPECT_EQ(traps.status().message(), "the kernel has no function to catch panic at");
}

TEST_F(TrapSetTest, AKernelForOneCpuIsCaughtAtTheEndOfItsPanic) {
  const SymbolList symbols("test", {{K::kIdle, 'T', "console_flush_on_panic"},
                                    {K::kCrashStop, 'T', "crash_smp_send_stop"},
                                    {K::kStopOthers, 't', "native_machine_crash_shutdown"}});
  const auto traps = TrapSet::Find(kPanicOnly, kernel_.memory(), symbols, kernel_.guest().memory(), *this);
  ASSERT_TRUE(traps.ok()) << traps.status();
  EXPECT_EQ((*traps)->points().back().function, "console_flush_on_panic");
}

TEST_F(TrapSetTest, ASymbolOutsideOfTheImageIsNotWrittenTo) {
  const SymbolList symbols("test", {{K::kModule, 'T', "native_stop_other_cpus"}, {0x1000, 'T', "crash_smp_send_stop"}});
  EXPECT_FALSE(TrapSet::Find(kPanicOnly, kernel_.memory(), symbols, kernel_.guest().memory(), *this).ok());
}

}  // namespace
}  // namespace vmm
