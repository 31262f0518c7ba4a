// A guest may have anything in its memory. These tests apply pseudo-random damage to a kernel's tables: a bounded
// amount, and always the same. The code must refuse or read the tables, but never crash, hang or read too far (ASan and
// UBSan check that). FUZZ_STEPS or FUZZ_SECONDS in the environment asks for more than the default.
#include <cstring>
#include <random>
#include <vector>

#include "absl/strings/str_format.h"
#include "dump/kernel/kallsyms.h"
#include "dump/kernel/kernel_report.h"
#include "dump/kernel/testing/btf_builder.h"
#include "dump/kernel/testing/kallsyms_builder.h"
#include "dump/kernel/testing/made_up_kernel.h"
#include "dump/testing/flat_memory.h"
#include "dump/testing/fuzz_steps.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using K = MadeUpKernel;

// A copy of a guest's RAM that can be written by virtual address.
class Copy {
 public:
  explicit Copy(K& kernel) : ram_(*FlatMemory::Copy(kernel.guest().memory(), 64 << 20)), map_(*kernel.Find().map) {}

  const PhysicalMemory& ram() const { return ram_; }
  KernelMemory memory() const { return KernelMemory(ram_, map_); }
  void Write(uint64_t vaddr, uint64_t word, size_t width) {
    const auto phys = PageTables(ram_, map_.root, map_.levels).Translate(vaddr);
    if (phys.ok()) std::memcpy(&ram_.bytes()[phys->value], &word, width);
  }

 private:
  FlatMemory ram_;
  const KernelMap map_;
};

// Damages a range of the kernel's memory, and repairs it again.
class Damage {
 public:
  Damage(Copy& copy, uint64_t seed) : copy_(copy), random_(seed) {}

  uint64_t Below(uint64_t limit) { return random_() % limit; }

  // Numbers at which checks are likely to be off by one, addresses in use, and others.
  uint64_t Number() {
    constexpr uint64_t kEdges[] = {0, 0x80, 0x1000, 0x8000, 0xffff, 0x80000000, 0xffffffff, 1ull << 62, ~0ull};
    constexpr uint64_t kPlaces[] = {K::kText, K::kData,     K::kModule,       K::kRing,  K::kOrcIps,
                                    K::kBtf,  K::kKallsyms, K::kModuleStruct, K::kTasks, K::kPerCpu};
    switch (Below(4)) {
      case 0: return kEdges[Below(std::size(kEdges))];
      case 1: return kPlaces[Below(std::size(kPlaces))] + Below(64) - 32;
      case 2: return uint64_t{1} << Below(64);
      default: return random_();
    }
  }

  // Makes one to six changes of 1, 2, 4 or 8 bytes, mostly aligned.
  void Do(uint64_t vaddr, uint64_t size) {
    for (uint64_t i = 1 + Below(6); i > 0; --i) {
      const uint64_t width = uint64_t{1} << Below(4);
      uint64_t at = vaddr + Below(size - width + 1);
      if (Below(8) != 0) at = AlignDown(at, width);
      if (at < vaddr || kPageSize - at % kPageSize < sizeof(uint64_t)) continue;
      const absl::StatusOr<uint64_t> before = copy_.memory().ReadObject<uint64_t>(at);
      if (!before.ok()) continue;
      mended_.push_back({at, *before});
      copy_.Write(at, Below(4) == 0 ? *before ^ uint64_t{1} << Below(8 * width) : Number(), width);
    }
  }

  void Mend() {
    for (; !mended_.empty(); mended_.pop_back()) copy_.Write(mended_.back().first, mended_.back().second, 8);
  }

 private:
  Copy& copy_;
  std::mt19937_64 random_;
  std::vector<std::pair<uint64_t, uint64_t>> mended_;
};

// The symbols alone, found by the keys of VMCOREINFO. A scan would hide the damage.
TEST(KernelFuzzTest, KallsymsAreRefusedOrRead) {
  K kernel;
  const BuiltKallsyms built = BuildKallsyms(kernel.symbols(), K::kKallsyms);
  Copy copy(kernel);
  const KernelMemory memory = copy.memory();
  const auto info = VmcoreInfo::Parse(absl::StrFormat(
      "OSRELEASE=6.1.0\nSYMBOL(kallsyms_names)=%x\nSYMBOL(kallsyms_num_syms)=%x\nSYMBOL(kallsyms_token_table)=%x\n"
      "SYMBOL(kallsyms_token_index)=%x\nSYMBOL(kallsyms_offsets)=%x\nSYMBOL(kallsyms_relative_base)=%x\n",
      built.tables.names, built.tables.num_syms, built.tables.token_table, built.tables.token_index,
      built.tables.addresses[0].table, *built.tables.addresses[0].relative_base));
  ASSERT_TRUE(info.ok());
  const absl::StatusOr<KallsymsTables> tables = KallsymsByVmcoreInfo(memory, *info);
  ASSERT_TRUE(tables.ok());
  Damage damage(copy, FuzzSeed(1));
  uint64_t read = 0;
  FuzzRun run(3'000, /*weight=*/1, /*parts=*/2);
  while (run.Step()) {
    damage.Do(K::kKallsyms, built.bytes.size());
    const auto kallsyms = Kallsyms::Read(memory, *tables);
    if (kallsyms.ok()) {
      ++read;
      (void)(*kallsyms)->Find("panic");
      (void)(*kallsyms)->At(K::kText + damage.Below(LinuxGuest::kImageSize));
      if (run.steps() % 64 == 0) (*kallsyms)->ForEach([](const Symbol&) { return true; });
    }
    damage.Mend();
  }
  EXPECT_GT(read, run.steps() / 20) << "most changes hit what nobody checks";
  EXPECT_LT(read, run.steps());
}

TEST(KernelFuzzTest, TheScanForKallsymsEnds) {
  K kernel;
  const BuiltKallsyms built = BuildKallsyms(kernel.symbols(), K::kKallsyms);
  Copy copy(kernel);
  const KernelMemory memory = copy.memory();
  Damage damage(copy, FuzzSeed(2));
  FuzzRun run(3'000, /*weight=*/200, /*parts=*/2);
  while (run.Step()) {
    damage.Do(K::kKallsyms, built.bytes.size());
    (void)KallsymsByScan(memory);
    damage.Mend();
  }
}

TEST(KernelFuzzTest, BtfIsRefusedOrRead) {
  BtfBuilder builder;
  const uint32_t u64 = builder.Int("u64", 8);
  const uint32_t inner = builder.Struct("inner", 16, {{"first", u64, 0}, {"second", builder.Typedef("t", u64), 8}});
  const uint32_t choice = builder.Union("", 8, {{"number", u64, 0}, {"", inner, 0}});
  builder.Struct("outer", 200, {{"", choice, 8}, {"in", inner, 24}, {"many", builder.Array(inner, 3), 40}});
  const std::vector<uint8_t> good = builder.Build();
  std::mt19937_64 random(FuzzSeed(3));
  uint64_t read = 0;
  FuzzRun run(50'000, /*weight=*/1, /*parts=*/2);
  while (run.Step()) {
    std::vector<uint8_t> bytes = good;
    for (uint64_t i = 1 + random() % 4; i > 0; --i) {
      const uint64_t at = random() % bytes.size();
      bytes[at] =
          random() % 2 == 0 ? static_cast<uint8_t>(random()) : static_cast<uint8_t>(bytes[at] ^ 1 << random() % 8);
    }
    if (random() % 16 == 0) bytes.resize(random() % (bytes.size() + 16));
    const auto btf = Btf::Parse(std::move(bytes));
    if (!btf.ok()) continue;
    ++read;
    (void)btf->SizeOf("outer");
    (void)btf->FindField("outer", "first");
    (void)btf->FindField("outer", "in.second");
    (void)btf->FindField("outer", "many");
    (void)btf->FindField("outer", "nothing");
  }
  EXPECT_GT(read, run.steps() / 20) << "most changes hit what nobody checks";
}

TEST(KernelFuzzTest, ThePrintkRingIsRefusedOrRead) {
  K kernel;
  for (int i = 0; i < 30; ++i) kernel.Log(1, 6, std::string(20, 'x'));
  const FoundKernel found = kernel.Find();
  Copy copy(kernel);
  const KernelMemory memory = copy.memory();
  const StructLayout layout(&*found.vmcoreinfo, nullptr);
  const auto find = [&](std::string_view name) { return found.vmcoreinfo->Symbol(name); };
  Damage damage(copy, FuzzSeed(4));
  uint64_t read = 0;
  FuzzRun run(6'000);
  while (run.Step()) {
    switch (damage.Below(4)) {
      case 0: damage.Do(K::kRing, 88); break;
      case 1: damage.Do(K::kDescs, 24 << K::kDescCountBits); break;
      case 2: damage.Do(K::kInfos, 88 << K::kDescCountBits); break;
      default: damage.Do(K::kLogText, 1 << K::kLogTextBits);
    }
    const auto log = ReadKernelLog(memory, layout, find);
    if (log.ok()) {
      ++read;
      for (const LogRecord& record : *log) (void)FormatLogRecord(record);
    }
    damage.Mend();
  }
  EXPECT_GT(read, run.steps() / 20) << "most changes hit what nobody checks";
}

// Everything that a backtrace uses: the tables, the stacks and the registers.
TEST(KernelFuzzTest, UnwindingEnds) {
  for (const OrcLayout layout : kOrcLayouts) {
    K kernel({.orc_layout = layout});
    Copy copy(kernel);
    const auto view = KernelView::Open(copy.ram(), kernel.Find());
    ASSERT_TRUE(view.ok());
    const std::vector<CpuState> healthy = kernel.snapshot().cpus;
    Damage damage(copy, FuzzSeed(5));
    FuzzRun run(6'000, /*weight=*/std::size(kOrcLayouts), /*parts=*/std::size(kOrcLayouts));
    while (run.Step()) {
      damage.Do(K::kOrcIps, 40);
      damage.Do(K::kOrcEntries, 56);
      std::vector<CpuState> cpus = healthy;
      const size_t cpu = damage.Below(2);
      if (damage.Below(2) == 0) damage.Do(cpus[cpu].rsp, 256);
      if (damage.Below(4) == 0) cpus[cpu].rsp += damage.Below(0x100) - 0x80;
      if (damage.Below(4) == 0) cpus[cpu].rip = damage.Number();
      if (damage.Below(4) == 0) cpus[cpu].rbp = damage.Number();
      ASSERT_LE((*view)->Unwind(cpus[cpu]).frames.size(), kMaxFrames);
      damage.Mend();
    }
  }
}

// The remaining tables, and a report made from everything together.
TEST(KernelFuzzTest, AReportIsMadeOfAnything) {
  K kernel;
  const FoundKernel found = kernel.Find();
  Copy copy(kernel);
  Damage damage(copy, FuzzSeed(6));
  FuzzRun run(50'000, /*weight=*/100, /*parts=*/4);
  while (run.Step()) {
    switch (damage.Below(4)) {
      case 0: damage.Do(K::kData, 0x2000); break;
      case 1: damage.Do(K::kModuleStruct, 0x800); break;
      case 2: damage.Do(K::kTasks, 0x6000); break;
      default: damage.Do(K::kBtf, 0x300);
    }
    const auto view = KernelView::Open(copy.ram(), found);
    ASSERT_TRUE(view.ok());
    const KernelReport report = MakeKernelReport(**view, kernel.snapshot().cpus);
    for (const CpuReport& cpu : report.cpus) {
      for (const ReportFrame& frame : cpu.frames) (void)frame.Name();
    }
    damage.Mend();
  }
}

}  // namespace
}  // namespace vmm
