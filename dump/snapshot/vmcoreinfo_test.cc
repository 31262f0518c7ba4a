#include "dump/snapshot/vmcoreinfo.h"

#include <random>

#include "gtest/gtest.h"

namespace vmm {
namespace {

VmcoreInfo Info(const std::string& lines) { return *VmcoreInfo::Parse("OSRELEASE=6.1.0\n" + lines); }

TEST(VmcoreInfoTest, ValuesAreReadAsTheKernelWritesThem) {
  const VmcoreInfo info = Info(
      "PAGESIZE=4096\nSYMBOL(_stext)=ffffffff87200000\nOFFSET(page.flags)=8\nNUMBER(phys_base)=-92274688\n"
      "NUMBER(VMALLOC_START)=0xff903bdd00000000\nKERNELOFFSET=6200000\n");
  EXPECT_EQ(info.release(), "6.1.0");
  EXPECT_EQ(info.Value("PAGESIZE"), "4096");
  EXPECT_EQ(info.Symbol("_stext"), 0xffffffff87200000u);
  EXPECT_EQ(info.Offset("page.flags"), 8u);
  EXPECT_EQ(info.Number("phys_base"), -92274688);
  EXPECT_EQ(static_cast<uint64_t>(*info.Number("VMALLOC_START")), 0xff903bdd00000000u);
  EXPECT_EQ(info.KernelOffset(), 0x6200000u);
}

TEST(VmcoreInfoTest, WhatIsNotThereIsNotFound) {
  const VmcoreInfo info = Info("SYMBOL(_stextra)=1\nXSYMBOL(_stext)=2\n");
  EXPECT_FALSE(info.Symbol("_stext").has_value());
  EXPECT_FALSE(info.Number("phys_base").has_value());
  EXPECT_FALSE(info.KernelOffset().has_value());
  EXPECT_FALSE(info.Value("").has_value());
  EXPECT_FALSE(info.Value("6.1.0").has_value());
}

TEST(VmcoreInfoTest, ANumberWithSomethingBehindItIsNone) {
  const VmcoreInfo info =
      Info("SYMBOL(a)=12 \nSYMBOL(b)=\nSYMBOL(c)=0x12\nSYMBOL(d)=fffffffffffffffff\nNUMBER(e)=1.5\n");
  for (const char* name : {"a", "b", "c", "d"}) EXPECT_FALSE(info.Symbol(name).has_value()) << name;
  EXPECT_FALSE(info.Number("e").has_value());
}

TEST(VmcoreInfoTest, TheFirstOfTwoLinesCounts) { EXPECT_EQ(Info("NUMBER(x)=1\nNUMBER(x)=2\n").Number("x"), 1); }

TEST(VmcoreInfoTest, TheLastLineNeedsNoNewline) { EXPECT_EQ(Info("NUMBER(x)=1").Number("x"), 1); }

TEST(VmcoreInfoTest, TheTextIsKeptByteForByte) {
  const std::string text("OSRELEASE=6.1.0\n\n\n=\n\0junk\0", 26);
  EXPECT_EQ(VmcoreInfo::Parse(text)->text(), text);
}

TEST(VmcoreInfoTest, AReleaseThatIsNoReleaseIsRefused) {
  for (const std::string& release : {std::string(), std::string("6.1 0"), std::string("6.1\x1b[2J"),
                                     std::string("6.1\0", 4), std::string("$(id)"), std::string(65, 'x')}) {
    EXPECT_FALSE(VmcoreInfo::Parse("OSRELEASE=" + release + "\n").ok()) << release;
  }
  EXPECT_TRUE(VmcoreInfo::Parse("OSRELEASE=" + std::string(64, 'x')).ok());
  EXPECT_FALSE(VmcoreInfo::Parse("PAGESIZE=4096\n").ok());
  EXPECT_FALSE(VmcoreInfo::Parse("").ok());
}

TEST(VmcoreInfoTest, TextBeyondTheLimitIsRefused) {
  std::string text = "OSRELEASE=6.1.0\n";
  text.resize(kMaxVmcoreInfo, 'x');
  EXPECT_TRUE(VmcoreInfo::Parse(text).ok());
  EXPECT_FALSE(VmcoreInfo::Parse(text + "x").ok());
}

// Any bytes: under ASan, no read may leave the text.
TEST(VmcoreInfoTest, RubbishIsTakenOrRefusedButNeverBreaks) {
  std::minstd_rand random(1);
  const std::string_view alphabet("OSRELA=()NUMBYxf0-19\n\0", 22);
  for (int round = 0; round < 100000; ++round) {
    std::string text = random() % 2 == 0 ? "OSRELEASE=1\n" : "";
    const size_t size = random() % 64;
    for (size_t i = 0; i < size; ++i) text += alphabet[random() % alphabet.size()];
    const absl::StatusOr<VmcoreInfo> info = VmcoreInfo::Parse(text);
    if (!info.ok()) continue;
    EXPECT_EQ(info->text(), text);
    info->Symbol("x");
    info->Number("x");
    info->Offset("");
    info->KernelOffset();
  }
}

}  // namespace
}  // namespace vmm
