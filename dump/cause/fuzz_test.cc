// A guest may have anything in its memory. These tests damage what the search for a cause reads: code, tasks, stacks,
// types, page tables and lists of locks. The search must end within its budget, and never crash or read too far (ASan
// and UBSan check that). FUZZ_STEPS or FUZZ_SECONDS in the environment asks for more than the default.
#include <cstring>
#include <map>
#include <memory>

#include "dump/cause/cause.h"
#include "dump/kernel/testing/btf_builder.h"
#include "dump/kernel/testing/made_up_kernel.h"
#include "dump/testing/flat_memory.h"
#include "dump/testing/fuzz_steps.h"
#include "dump/testing/mutator.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using K = MadeUpKernel;

TEST(CauseFuzzTest, AnyBytesAreCodeOrAreNot) {
  K kernel;
  FlatMemory ram = *FlatMemory::Copy(kernel.guest().memory(), 64 << 20);
  const KernelMemory memory(ram, *kernel.Find().map);
  constexpr uint64_t kFunction = K::kText + 0x8000;
  const uint64_t at = LinuxGuest::kImagePhys + 0x8000;
  Mutator random(FuzzSeed(1));
  FuzzRun run(20'000, /*weight=*/1, /*parts=*/3);
  uint64_t decoded = 0;
  while (run.Step()) {
    for (uint64_t i = 0; i < 64; ++i) ram.PutWord(at + 8 * i, random.Number());
    Fault fault;
    fault.kind = random.Below(2) == 0 ? FaultKind::kPageFault : FaultKind::kProtection;
    fault.registers.ip = kFunction + random.Below(256);
    fault.registers.ax = random.Number();
    fault.registers.sp = random.Number();
    if (fault.kind == FaultKind::kPageFault) fault.cr2 = random.Number();
    const CodeListing listing = DecodeCode(memory, fault, kFunction);
    ASSERT_LE(listing.lines.size(), kInstructionsBefore + 1 + kInstructionsAfter);
    if (!listing.lines.empty()) {
      ++decoded;
      ASSERT_EQ(listing.lines[listing.at_fault].address, fault.registers.ip);
    }
    (void)FaultingOperand(listing, fault);
  }
  EXPECT_GT(decoded, run.steps() / 10);
}

TEST(CauseFuzzTest, AnyListOfWaitersEnds) {
  K kernel;
  FlatMemory ram = *FlatMemory::Copy(kernel.guest().memory(), 64 << 20);
  const KernelMemory memory(ram, *kernel.Find().map);
  BtfBuilder types;
  const uint32_t u64 = types.Int("long unsigned int", 8);
  const uint32_t list = types.Struct("list_head", 16, {{"next", u64, 0}, {"prev", u64, 8}});
  types.Struct("mutex", 0x28, {{"owner", u64, 0}, {"wait_list", list, 0x18}});
  types.Struct("mutex_waiter", 0x20, {{"list", list, 0}, {"task", u64, 16}});
  const auto btf = Btf::Parse(types.Build());
  ASSERT_TRUE(btf.ok());
  const StructLayout layout(nullptr, &*btf);
  // Eight tasks with stacks of 32 words, full of pointers to each other.
  constexpr uint64_t kStacks = K::kData + 0x60000, kStack = 0x100, kCount = 8;
  const uint64_t at = kStacks - K::kText + LinuxGuest::kImagePhys;
  Mutator random(FuzzSeed(2));
  FuzzRun run(5'000, /*weight=*/1, /*parts=*/3);
  while (run.Step()) {
    for (uint64_t i = 0; i < kCount * kStack / 8; ++i) {
      const uint64_t place = kStacks + 8 * random.Below(kCount * kStack / 8);
      ram.PutWord(at + 8 * i, random.Below(3) == 0 ? kStacks + kStack * random.Below(kCount) : place);
    }
    Meter meter({"test", 0, 2000, "reads", 0});
    LockReader reader(memory, layout,
                      {[](uint64_t task) { return task - kStacks < kCount * kStack && task % kStack == 0; },
                       [](uint64_t task, uint64_t where) { return where - task < kStack; }},
                      meter);
    std::vector<Wait> waits;
    for (uint64_t i = 0; i < kCount; ++i) {
      const uint64_t task = kStacks + kStack * i;
      const LockFrame frame{"__mutex_lock", task, task + kStack};
      const auto lock = reader.Find(task, std::span(&frame, 1));
      if (!lock.has_value()) continue;
      Wait wait;
      wait.task = i;
      if (lock->owner.has_value()) wait.owner = (*lock->owner - kStacks) / kStack;
      waits.push_back(wait);
    }
    Meter links({"test", 0, 1000, "links", 0});
    (void)LinkWaits(std::move(waits), links);
  }
}

TEST(CauseFuzzTest, ADamagedKernelHasACauseOrHasNone) {
  K kernel;
  kernel.Put32(K::kPanicCpu, 1);
  kernel.guest().snapshot().cpus[1].cr2 = 0x18;
  const FoundKernel found = kernel.Find();
  FlatMemory ram = *FlatMemory::Copy(kernel.guest().memory(), 64 << 20);
  struct Part {
    uint64_t phys, size;
  };
  const uint64_t data = K::kData - K::kText + LinuxGuest::kImagePhys;
  const Part parts[] = {{data + 0x4000, 0xb000},
                        {data + 0x20000, 0x1000},
                        {0x2400000, 0x20000},
                        {LinuxGuest::kImagePhys + 0x1400, 0x300},
                        {data + 0x900, 0x100}};
  Mutator random(FuzzSeed(3));
  FuzzRun run(6'000, /*weight=*/20, /*parts=*/3);
  while (run.Step()) {
    const Part& part = parts[random.Below(std::size(parts))];
    const std::string before(reinterpret_cast<const char*>(&ram.bytes()[part.phys]), part.size);
    std::string bytes = before;
    random.Change(bytes);
    std::memcpy(&ram.bytes()[part.phys], bytes.data(), part.size);
    const auto view = KernelView::Open(ram, found);
    if (view.ok()) {
      const KernelReport report = MakeKernelReport(**view, kernel.snapshot().cpus);
      const Cause cause = FindCause(**view, ram, found.vmcoreinfo.has_value() ? &*found.vmcoreinfo : nullptr, report,
                                    kernel.snapshot().cpus);
      ASSERT_EQ(cause.lock_names.size(), cause.waits.waits.size());
      ASSERT_EQ(cause.targets.size(), cause.code.lines.size());
    }
    std::memcpy(&ram.bytes()[part.phys], before.data(), part.size);
  }
}

}  // namespace
}  // namespace vmm
