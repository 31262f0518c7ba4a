#include "vmm/kvm/cpu_features.h"

#include <string>

#include "gtest/gtest.h"

namespace vmm {
namespace {

std::string Error(std::string_view list) { return std::string(ParseCpuFeatures(list).status().message()); }

TEST(CpuFeaturesTest, AnEmptyListChangesNothing) {
  const CpuFeatures features = *ParseCpuFeatures("");
  EXPECT_TRUE(features.changes.empty());
  EXPECT_FALSE(features.perfmon);
}

TEST(CpuFeaturesTest, NamesAreThoseOfProcCpuinfo) {
  const CpuFeatures features = *ParseCpuFeatures("-la57,+x2apic,-pni");
  ASSERT_EQ(features.changes.size(), 3u);
  EXPECT_EQ(features.changes[0].name, "la57");
  EXPECT_FALSE(features.changes[0].wanted);
  ASSERT_EQ(features.changes[0].bits.size(), 1u);
  EXPECT_EQ(features.changes[0].bits[0].function, 7u);
  EXPECT_EQ(features.changes[0].bits[0].reg, CpuidRegister::kEcx);
  EXPECT_EQ(features.changes[0].bits[0].bit, 16);
  EXPECT_TRUE(features.changes[1].wanted);
  EXPECT_EQ(features.changes[2].bits[0].function, 1u);
  EXPECT_EQ(features.changes[2].bits[0].bit, 0) << "SSE3 is pni there";
}

TEST(CpuFeaturesTest, ANameThatIntelAndAmdKeepInTwoPlacesMeansBoth) {
  EXPECT_EQ(ParseCpuFeatures("-ibrs")->changes[0].bits.size(), 2u);
}

TEST(CpuFeaturesTest, PerformanceCountersAreAskedForByTheirName) {
  EXPECT_TRUE(ParseCpuFeatures("+arch_perfmon")->perfmon);
  EXPECT_FALSE(ParseCpuFeatures("-arch_perfmon")->perfmon);
}

TEST(CpuFeaturesTest, TheSameEntryTwiceCountsOnce) { EXPECT_EQ(ParseCpuFeatures("-avx,-avx")->changes.size(), 1u); }

TEST(CpuFeaturesTest, ANameBothWaysIsRefused) {
  EXPECT_EQ(Error("-avx,+avx"), "\"avx\" is both asked for and taken away");
}

TEST(CpuFeaturesTest, AnEntryWithoutASignIsRefused) {
  EXPECT_EQ(Error("la57"), "\"la57\": each entry is +name or -name, as in -la57,+x2apic");
  EXPECT_EQ(Error("-avx,,+pcid"), "\"\": each entry is +name or -name, as in -la57,+x2apic");
  EXPECT_EQ(Error("-"), "\"-\": each entry is +name or -name, as in -la57,+x2apic");
}

TEST(CpuFeaturesTest, AnUnknownNameIsAnsweredWithTheNearestOnes) {
  EXPECT_EQ(Error("-la75"), "\"la75\" is no CPUID feature; did you mean la57?");
  EXPECT_EQ(Error("-sse4.2"), "\"sse4.2\" is no CPUID feature; did you mean sse4_2?");
  EXPECT_EQ(Error("+AVX512-VNNI"), "\"AVX512-VNNI\" is no CPUID feature; did you mean avx512_vnni?");
  EXPECT_EQ(Error("+tsc_deadline"), "\"tsc_deadline\" is no CPUID feature; did you mean tsc_deadline_timer?");
}

TEST(CpuFeaturesTest, AtMostThreeNamesAreOffered) {
  EXPECT_EQ(Error("-avx5"), "\"avx5\" is no CPUID feature; did you mean avx or avx2?");
  EXPECT_EQ(Error("-avx512"), "\"avx512\" is no CPUID feature; did you mean avx512f?");
  EXPECT_EQ(Error("-amx"), "\"amx\" is no CPUID feature; did you mean mmx or vmx or smx?");
}

TEST(CpuFeaturesTest, ANameLikeNoOtherIsAnsweredWithWhereNamesComeFrom) {
  EXPECT_EQ(Error("-nonsense"), "\"nonsense\" is no CPUID feature; names are those of the flags line in /proc/cpuinfo");
  EXPECT_NE(Error("-" + std::string(100000, 'x')).find("flags line"), std::string::npos);
}

TEST(CpuFeaturesTest, AWordOfLinuxItselfIsNoCpuidFeature) { EXPECT_FALSE(ParseCpuFeatures("-rep_good").ok()); }

}  // namespace
}  // namespace vmm
