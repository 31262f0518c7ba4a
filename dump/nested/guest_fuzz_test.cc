// A dump with an L2 in it is untrusted. This test changes VMCBs, VMCSs, tables and KVM's structs pseudo-randomly,
// always in the same way. They must be refused or read in bounded time and memory, and an L2 that is read must be
// right. FUZZ_STEPS in the environment asks for more steps than the default.
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/guest_memory.h"
#include "base/zero_page.h"
#include "dump/nested/nested_cpu.h"
#include "dump/nested/nested_vm.h"
#include "dump/nested/svm/vmcb12_scan.h"
#include "dump/nested/testing/fixture.h"
#include "dump/testing/fuzz_steps.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr uint64_t kSize = 4 << 20;

// L1's RAM from a fixture. Pages of zeros, which L1 never touched, are holes. A few dozen pages are left.
class Dump {
 public:
  explicit Dump(const char* name) : pristine_(FixtureMemory(name)) {
    const GuestRange ranges[] = {{GuestAddr{0}, kSize}};
    memory_ = *GuestMemory::Create(ranges);
    std::vector<uint8_t> page(kPageSize);
    for (uint64_t at = 0; at < kSize; at += kPageSize) {
      if (!pristine_->Read(GuestAddr{at}, page).ok() || IsZeroPage(page.data())) continue;
      pages_.push_back(at);
      Restore(at);
    }
  }

  GuestMemory& memory() { return *memory_; }
  const std::vector<uint64_t>& pages() const { return pages_; }
  void Restore(uint64_t at) {
    std::vector<uint8_t> page(kPageSize);
    EXPECT_TRUE(pristine_->Read(GuestAddr{at}, page).ok());
    EXPECT_TRUE(memory_->Write(GuestAddr{at}, page).ok());
  }
  void Put(uint64_t at, uint64_t word) { EXPECT_TRUE(memory_->WriteObject(GuestAddr{at}, word).ok()); }

 private:
  std::unique_ptr<GuestMemory> pristine_, memory_;
  std::vector<uint64_t> pages_;
};

class Random {
 public:
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  // Mostly an entry with flags that leads to a page or table of L1. Sometimes a number at an edge, or any number.
  uint64_t Entry(const std::vector<uint64_t>& pages) {
    constexpr uint64_t kEdges[] = {0, 1, 0xfff, 1ull << 51, 1ull << 52, 1ull << 63, ~0ull, 0xff45ccf840002000};
    switch (Below(8)) {
      case 0: return kEdges[Below(std::size(kEdges))];
      case 1: return random_();
      default: return pages[Below(pages.size())] | Below(256);
    }
  }

 private:
  std::mt19937_64 random_{FuzzSeed(7)};
};

// Checks the promises that hold for any L2's memory.
void ExpectConsistent(const L2Memory& memory) {
  uint64_t end = 0;
  for (const GuestRange& range : memory.Ranges()) {
    ASSERT_TRUE(range.IsValid());
    ASSERT_GE(range.start.value, end);
    ASSERT_EQ(0u, (range.start.value | range.size) % kPageSize);
    end = range.end().value;
  }
  ASSERT_LE(memory.walk().bytes, (L2Memory::kMaxTimesMapped + 1) * kSize);
  const auto extents = memory.DataExtents();
  ASSERT_TRUE(extents.ok());
  uint64_t bytes = 0;
  end = 0;
  for (const GuestRange& extent : *extents) {
    ASSERT_GE(extent.start.value, end);
    end = extent.end().value;
    bytes += extent.size;
    std::vector<uint8_t> page(kPageSize);
    ASSERT_TRUE(memory.Read(extent.start, page).ok());
  }
  ASSERT_LE(bytes, memory.walk().bytes);
}

void Fuzz(const char* memory_name, const std::string& blob, std::vector<uint64_t> tables) {
  Dump dump(memory_name);
  Random random;
  const std::vector<uint8_t> pristine_state = Fixture(blob);
  std::vector<CpuState> registers(2);
  uint64_t with_memory = 0;
  const uint64_t steps = FuzzSteps(1'000);
  for (uint64_t step = 0; step < steps; ++step) {
    if (step % 16 == 0) {
      for (const uint64_t page : dump.pages()) dump.Restore(page);
    }
    for (uint64_t i = 1 + random.Below(4); i > 0; --i) {
      const bool in_table = random.Below(4) != 0;
      const uint64_t page =
          in_table ? tables[random.Below(tables.size())] : dump.pages()[random.Below(dump.pages().size())];
      // Tables of a small L2 use their first entries.
      const uint64_t index = random.Below(random.Below(2) == 0 ? 16 : 512);
      dump.Put(page + 8 * index, random.Entry(dump.pages()));
    }
    std::vector<uint8_t> state = pristine_state;
    if (random.Below(4) == 0) state[random.Below(state.size())] ^= static_cast<uint8_t>(1 << random.Below(8));
    std::vector<NestedStateNote> notes;
    if (random.Below(2) == 0) notes.push_back({.vcpu = static_cast<uint32_t>(random.Below(3)), .state = state});
    registers[0].cr0 = random.Below(2) << 31;
    registers[0].cr4 = random.Below(2) << 12;
    // A CPU of L1 in its kernel. Its code is searched for a VMRUN.
    registers[1].started = true;
    registers[1].cr3 = dump.pages()[random.Below(dump.pages().size())];
    registers[1].rip = 1ull << 63 | random.Entry(dump.pages());

    const auto cpus = FindNestedCpus(dump.memory(), notes);
    ASSERT_TRUE(cpus.ok()) << cpus.status();
    for (const NestedCpu& cpu : cpus->cpus) (void)PrintStateFields(DescribeNestedCpu(cpu));
    const auto vms = FindNestedVms(dump.memory(), registers, cpus->cpus);
    ASSERT_TRUE(vms.ok()) << vms.status();
    for (const NestedVm& vm : *vms) {
      ASSERT_FALSE(vm.vcpus.empty());
      const auto memory = MemoryOf(dump.memory(), vm);
      if (!memory.ok()) continue;
      ++with_memory;
      ASSERT_NO_FATAL_FAILURE(ExpectConsistent(**memory)) << "step " << step;
    }
  }
  EXPECT_GT(with_memory, steps / 8) << "most changes leave no L2 to look at";
}

TEST(GuestFuzzTest, AnL2UnderEptIsRefusedOrRead) {
  Fuzz("vmx-plain-guestmem.bin.xz", "vmx-plain-F1-inL2.bin", {0x30000, 0x31000, 0x32000, 0x33000});
}

TEST(GuestFuzzTest, AnL2UnderNestedPagingIsRefusedOrRead) {
  Fuzz("svm-guestmem.bin.xz", "svm-L2-49.bin", {0x30000, 0x31000, 0x32000, 0x33000, 0x2000});
}

TEST(GuestFuzzTest, AVmcbIsDoubtedOrTaken) {
  const std::vector<uint8_t> pristine = Fixture("svm-page2000-L1-2.bin");
  Random random;
  uint64_t taken = 0;
  const uint64_t steps = FuzzSteps(100'000);
  for (uint64_t step = 0; step < steps; ++step) {
    std::vector<uint8_t> page = pristine;
    for (uint64_t i = 1 + random.Below(3); i > 0; --i) {
      page[random.Below(page.size())] ^= static_cast<uint8_t>(1 << random.Below(8));
    }
    NestedCpu cpu;
    Vmcb12 vmcb;
    std::memcpy(&vmcb, page.data(), sizeof(vmcb));
    cpu.region = vmcb;
    taken += DoubtOfVmcb12(vmcb).empty();
    if (step % 64 == 0) (void)PrintStateFields(DescribeNestedCpu(cpu));
  }
  EXPECT_GT(taken, 0u);
  EXPECT_LT(taken, steps);
}

}  // namespace
}  // namespace vmm
