#include "vmm/kvm/hypervisor_leaf.h"

#include "gtest/gtest.h"

namespace vmm {
namespace {

const CpuidEntry kKvmName{.function = 0x40000000, .eax = 0x40000001, .ebx = 0x4b4d564b, .ecx = 0x564b4d56, .edx = 0x4d};
const CpuidEntry kKvmFeatures{.function = 0x40000001, .eax = 0x01007efb};
const CpuidEntry kBasic{.function = 1, .eax = 0x800f12, .ecx = 1u << 31};
const CpuidTable kTable{kBasic, kKvmName, kKvmFeatures};

std::string NameAt(const CpuidTable& table, uint32_t function) {
  const CpuidEntry* entry = FindCpuid(table, function);
  if (entry == nullptr) return "";
  std::string name;
  for (const uint32_t word : {entry->ebx, entry->ecx, entry->edx}) {
    for (int i = 0; i < 4; ++i) name.push_back(static_cast<char>(word >> (8 * i)));
  }
  return name;
}

TEST(HypervisorLeafTest, KvmsNameStaysUnlessAnotherIsAsked) {
  EXPECT_EQ(WithVmwareLeaf(kTable, HypervisorLeaf::kKvm, {}), kTable);
}

TEST(HypervisorLeafTest, VmwareComesFirstAndKvmsLeavesMoveUp) {
  const CpuidTable table = WithVmwareLeaf(kTable, HypervisorLeaf::kVmwareThenKvm, {});
  EXPECT_EQ(NameAt(table, 0x40000000), "VMwareVMware");
  EXPECT_EQ(FindCpuid(table, 0x40000000)->eax, 0x40000010u);
  EXPECT_EQ(FindCpuid(table, 0x40000001), nullptr);
  EXPECT_EQ(FindCpuid(table, 0x40000100)->ebx, kKvmName.ebx);
  EXPECT_EQ(FindCpuid(table, 0x40000100)->eax, 0x40000101u) << "the highest leaf moves with them";
  EXPECT_EQ(FindCpuid(table, 0x40000101)->eax, kKvmFeatures.eax);
  EXPECT_EQ(*FindCpuid(table, 1), kBasic);
}

TEST(HypervisorLeafTest, VmwareAloneLeavesNothingOfKvm) {
  const CpuidTable table = WithVmwareLeaf(kTable, HypervisorLeaf::kVmwareOnly, {});
  EXPECT_EQ(NameAt(table, 0x40000000), "VMwareVMware");
  EXPECT_EQ(table.size(), 3u);
  EXPECT_EQ(FindCpuid(table, 0x40000100), nullptr);
}

TEST(HypervisorLeafTest, TheTimingLeafHasTheFrequenciesAndNoHypercall) {
  const CpuidTable table =
      WithVmwareLeaf(kTable, HypervisorLeaf::kVmwareOnly, {.tsc_khz = 2'400'000, .bus_khz = 1'000'000});
  EXPECT_EQ(*FindCpuid(table, 0x40000010),
            (CpuidEntry{.function = 0x40000010, .eax = 2'400'000, .ebx = 1'000'000, .ecx = 0}));
}

}  // namespace
}  // namespace vmm
