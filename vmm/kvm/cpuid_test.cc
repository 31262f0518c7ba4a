#include "vmm/kvm/cpuid.h"

#include <algorithm>
#include <array>
#include <string>

#include "gtest/gtest.h"

namespace vmm {
namespace {

// Made up from KVM's answer on an Intel host: two threads a core, a shared L3, a PMU.
CpuidTable IntelHost() {
  return {{0, 0, 0, 0x1f, 0x756e6547, 0x6c65746e, 0x49656e69},
          {1, 0, 0, 0x000c06f2, 0x07200800, 0x0120a000, 0x0f8bfbff},
          {4, 0, 1, 0x04004121, 0x02c0003f, 0x3f, 0},
          {4, 2, 1, 0x04004143, 0x03c0003f, 0x7ff, 0},
          {4, 3, 1, 0xfc1fc163, 0x04c0003f, 0x33fff, 0},
          {4, 4, 1, 0, 0, 0, 0},
          {7, 0, 1, 2, 0x01802852, 0x1a010104, 0x20000000},
          {7, 1, 1, 0x1c00, 0, 0, 0},
          {0xa, 0, 0, 0x07300402, 0, 0, 0x603},
          {0xb, 0, 1, 1, 2, 0x100, 7},
          {0xb, 1, 1, 6, 64, 0x201, 7},
          {0xd, 0, 1, 0xe7, 0xa80, 0xa80, 0},
          {0x1f, 0, 1, 1, 2, 0x100, 7},
          {0x40000000, 0, 0, 0x40000001, 0x4b4d564b, 0x564b4d56, 0x4d},
          {0x40000001, 0, 0, 0x01007efb, 0, 0, 0},
          {0x80000000, 0, 0, 0x80000021, 0, 0, 0},
          {0x80000001, 0, 0, 0, 0, 0x121, 0x2c100800},
          {0x80000008, 0, 0, 0x3030, 0, 0, 0}};
}

CpuidTable AmdHost() {
  return {{0, 0, 0, 0xd, 0x68747541, 0x444d4163, 0x69746e65},
          {1, 0, 0, 0x00800f12, 0x05400800, 0x0020200b, 0x078bfbff},
          {7, 0, 1, 0, 0x209c01a9, 0, 0},
          {0x80000000, 0, 0, 0x8000001e, 0x68747541, 0x444d4163, 0x69746e65},
          {0x80000001, 0, 0, 0x00800f12, 0x20000000, 0x00400007, 0x2dd3fbff},
          {0x80000008, 0, 0, 0x3030, 0x5000, 0x703f, 0},
          {0x8000001d, 0, 1, 0x4121, 0x01c0003f, 0x3f, 0},
          {0x8000001d, 2, 1, 0x4143, 0x01c0003f, 0x3ff, 2},
          {0x8000001d, 3, 1, 0x1c163, 0x03c0003f, 0x1fff, 1},
          {0x8000001e, 0, 0, 5, 0x102, 0x301, 0}};
}

CpuidTable Build(const CpuidTable& host, int cpus, int id, std::string_view features = "") {
  absl::StatusOr<CpuidTable> table = BuildGuestCpuid(host, cpus, id, *ParseCpuFeatures(features));
  EXPECT_TRUE(table.ok()) << table.status();
  return table.ok() ? *table : CpuidTable{};
}

std::string Error(const CpuidTable& host, std::string_view features) {
  return std::string(BuildGuestCpuid(host, 1, 0, *ParseCpuFeatures(features)).status().message());
}

uint32_t Bits(uint32_t value, int high, int low) { return (value >> low) & (~0u >> (31 - high + low)); }

TEST(CpuidTest, AVcpuKnowsItsApicIdAndHowManyThereAre) {
  for (const auto& [cpus, id, id_bits] :
       {std::array{1, 0, 0}, std::array{2, 1, 1}, std::array{4, 3, 2}, std::array{5, 4, 3}, std::array{255, 254, 8}}) {
    SCOPED_TRACE(cpus);
    const CpuidTable table = Build(IntelHost(), cpus, id);
    const CpuidEntry& features = *FindCpuid(table, 1);
    EXPECT_EQ(Bits(features.ebx, 31, 24), static_cast<uint32_t>(id));
    EXPECT_EQ(Bits(features.ebx, 23, 16), std::min(1u << id_bits, 255u));
    EXPECT_EQ(Bits(features.ebx, 15, 8), 8u) << "the CLFLUSH line stays";
    EXPECT_EQ(Bits(features.edx, 28, 28), cpus > 1 ? 1u : 0u);
    for (const uint32_t leaf : {0xbu, 0x1fu}) {
      const CpuidEntry& thread = *FindCpuid(table, leaf, 0);
      EXPECT_EQ(thread.eax, 0u);
      EXPECT_EQ(thread.ebx, 1u);
      EXPECT_EQ(thread.ecx, 0x100u);
      EXPECT_EQ(thread.edx, static_cast<uint32_t>(id));
      const CpuidEntry& core = *FindCpuid(table, leaf, 1);
      EXPECT_EQ(core.eax, static_cast<uint32_t>(id_bits));
      EXPECT_EQ(core.ebx, static_cast<uint32_t>(cpus));
      EXPECT_EQ(core.ecx, 0x201u);
      EXPECT_EQ(core.edx, static_cast<uint32_t>(id));
      EXPECT_EQ(Bits(FindCpuid(table, leaf, 2)->ecx, 15, 8), 0u) << "the end of the list";
    }
  }
}

TEST(CpuidTest, NothingOfTheHostsOwnTopologyIsLeft) {
  const CpuidTable table = Build(IntelHost(), 1, 0);
  for (const CpuidEntry& entry : table) {
    if (entry.function == 0xb || entry.function == 0x1f) {
      EXPECT_EQ(entry.edx, 0u);
    }
  }
}

TEST(CpuidTest, L1AndL2BelongToACoreAndL3ToThePackage) {
  const CpuidTable table = Build(IntelHost(), 6, 0);
  EXPECT_EQ(Bits(FindCpuid(table, 4, 0)->eax, 25, 14), 0u);
  EXPECT_EQ(Bits(FindCpuid(table, 4, 2)->eax, 25, 14), 0u);
  EXPECT_EQ(Bits(FindCpuid(table, 4, 3)->eax, 25, 14), 7u);
  for (const uint32_t cache : {0u, 2u, 3u}) EXPECT_EQ(Bits(FindCpuid(table, 4, cache)->eax, 31, 26), 7u);
  EXPECT_EQ(Bits(FindCpuid(table, 4, 3)->eax, 13, 0), 0x163u & 0x3fff) << "type, level and the rest stay";
  EXPECT_EQ(Bits(FindCpuid(Build(IntelHost(), 255, 0), 4, 3)->eax, 31, 26), 63u) << "the field's most";
}

TEST(CpuidTest, AmdsOwnLeavesTellTheSameTopology) {
  const CpuidTable table = Build(AmdHost(), 6, 4);
  EXPECT_TRUE(FindCpuid(table, 0x80000001)->ecx & 2) << "CmpLegacy";
  EXPECT_EQ(Bits(FindCpuid(table, 0x80000008)->ecx, 7, 0), 5u);
  EXPECT_EQ(Bits(FindCpuid(table, 0x80000008)->ecx, 15, 12), 3u);
  EXPECT_EQ(Bits(FindCpuid(table, 0x8000001d, 0)->eax, 25, 14), 0u);
  EXPECT_EQ(Bits(FindCpuid(table, 0x8000001d, 3)->eax, 25, 14), 7u);
  const CpuidEntry& topology = *FindCpuid(table, 0x8000001e);
  EXPECT_EQ(topology.eax, 4u);
  EXPECT_EQ(topology.ebx, 4u);
  EXPECT_EQ(topology.ecx, 0u);
  EXPECT_EQ(FindCpuid(table, 0xb, 1)->ebx, 6u) << "also where the host had none";
  EXPECT_FALSE(FindCpuid(Build(AmdHost(), 1, 0), 0x80000001)->ecx & 2);
}

TEST(CpuidTest, IntelGetsNoneOfAmdsFields) {
  const CpuidTable table = Build(IntelHost(), 4, 1);
  EXPECT_EQ(FindCpuid(table, 0x80000008)->ecx, 0u);
  EXPECT_EQ(FindCpuid(table, 0x80000001)->ecx, 0x121u);
}

TEST(CpuidTest, TheLastBasicLeafCoversTheTopology) {
  CpuidTable host = IntelHost();
  host[0].eax = 7;
  EXPECT_EQ(FindCpuid(Build(host, 2, 0), 0)->eax, 0xbu);
  EXPECT_EQ(FindCpuid(Build(host, 2, 0), 0x1f), nullptr) << "not where the host has none";
}

TEST(CpuidTest, TheGuestSeesAHypervisorAndKvmsOwnLeavesAsKvmGivesThem) {
  const CpuidTable table = Build(IntelHost(), 1, 0);
  EXPECT_TRUE(FindCpuid(table, 1)->ecx >> 31);
  EXPECT_EQ(*FindCpuid(table, 0x40000000), *FindCpuid(IntelHost(), 0x40000000));
  EXPECT_EQ(FindCpuid(table, 0x40000001)->eax, 0x01007efbu) << "kvmclock, and its stable bit";
}

TEST(CpuidTest, PerformanceCountersAreOnlyForWhoAsks) {
  const CpuidTable without = Build(IntelHost(), 1, 0);
  EXPECT_EQ(FindCpuid(without, 0xa), nullptr) << "reads as zeros";
  EXPECT_FALSE(FindCpuid(without, 1)->ecx & 1u << 15) << "PDCM";
  const CpuidTable with = Build(IntelHost(), 1, 0, "+arch_perfmon");
  EXPECT_EQ(*FindCpuid(with, 0xa), *FindCpuid(IntelHost(), 0xa));
  EXPECT_TRUE(FindCpuid(with, 1)->ecx & 1u << 15);
  EXPECT_EQ(Error(AmdHost(), "+arch_perfmon"), "+arch_perfmon: this host's KVM has no performance counters for guests");
}

TEST(CpuidTest, AFeatureCanBeTakenAway) {
  EXPECT_TRUE(HasCpuidBit(IntelHost(), {7, 0, CpuidRegister::kEcx, 16}));
  EXPECT_FALSE(HasCpuidBit(Build(IntelHost(), 1, 0, "-la57"), {7, 0, CpuidRegister::kEcx, 16}));
  EXPECT_FALSE(FindCpuid(Build(IntelHost(), 1, 0, "-hypervisor"), 1)->ecx >> 31);
}

TEST(CpuidTest, TakingAwayWhatIsNotThereIsNoError) { Build(IntelHost(), 1, 0, "-svm,-sme"); }

TEST(CpuidTest, AskingForWhatTheHostHasIsNoErrorAndForWhatItLacksIs) {
  Build(IntelHost(), 1, 0, "+la57,+x2apic,+hypervisor");
  EXPECT_EQ(Error(IntelHost(), "+la57,+svm"), "+svm: this host's processor or KVM does not have it");
  EXPECT_EQ(Error(IntelHost(), "+clzero"), "+clzero: this host's processor or KVM does not have it");
}

TEST(CpuidTest, OnAmdTheAliasesOfLeaf1Follow) {
  constexpr uint32_t kMmx = 1u << 23;
  EXPECT_TRUE(FindCpuid(Build(AmdHost(), 1, 0), 0x80000001)->edx & kMmx);
  const CpuidTable table = Build(AmdHost(), 1, 0, "-mmx");
  EXPECT_FALSE(FindCpuid(table, 1)->edx & kMmx);
  EXPECT_FALSE(FindCpuid(table, 0x80000001)->edx & kMmx);
  EXPECT_TRUE(FindCpuid(table, 0x80000001)->edx & 1u << 29) << "long mode is no alias";
}

TEST(CpuidTest, ThePartsOfSvmAreAsKvmGivesThemAndGoWithIt) {
  constexpr uint32_t kSvmParts = 0x8000000a, kVgif = 1u << 16;
  CpuidTable host = AmdHost();
  std::erase_if(host, [](const CpuidEntry& entry) { return entry.function == 0x80000001; });
  host.push_back({0x80000001, 0, 0, 0x00060fb1, 0, 0x75, 0x2dd3fbfd});
  host.push_back({kSvmParts, 0, 0, 1, 8, 0, 0x10010021});  // of kvm_amd 6.1 on an emulated CPU
  EXPECT_EQ(*FindCpuid(Build(host, 2, 0), kSvmParts), *FindCpuid(host, kSvmParts));
  EXPECT_EQ(FindCpuid(Build(host, 2, 0, "-vgif"), kSvmParts)->edx, 0x10010021 & ~kVgif);
  EXPECT_EQ(FindCpuid(Build(host, 2, 0, "-svm"), kSvmParts), nullptr) << "reads as zeros";
}

TEST(CpuidTest, LeavesOfZerosAreLeftOut) {
  EXPECT_EQ(FindCpuid(Build(IntelHost(), 1, 0), 4, 4), nullptr);
  EXPECT_NE(FindCpuid(Build(IntelHost(), 1, 0), 0), nullptr);
}

TEST(CpuidTest, ATableWithoutItsFirstLeavesIsNoCrash) { Build({}, 255, 254, "-la57"); }

}  // namespace
}  // namespace vmm
