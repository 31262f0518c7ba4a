#include "dump/kernel/other_kernel.h"

#include <gmock/gmock.h>

#include "dump/kernel/find_kernel.h"
#include "dump/testing/linux_guest.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The made-up guest, and a crash kernel in the memory that the guest had reserved for it.
class OtherKernelTest : public ::testing::Test {
 protected:
  static constexpr GuestAddr kImage{0x2800000};
  static constexpr GuestAddr kTables{0x2900000};  // swapper_pg_dir, in the image

  OtherKernelTest() {
    guest_.Map(kTables, 0xffffffff81000000, kImage, 2 << 20);
    guest_.Map(kTables, 0xffffffff81200000, GuestAddr{kImage.value + (2 << 20)}, 2 << 20);
  }

  void PutVmcoreInfo() {
    guest_.PutNote(GuestAddr{0x3000000},
                   "OSRELEASE=6.1.0-crash\nPAGESIZE=4096\nSYMBOL(swapper_pg_dir)=ffffffff81100000\n"
                   "SYMBOL(_stext)=ffffffff81000000\nNUMBER(phys_base)=25165824\n");
  }

  std::optional<OtherKernel> Find() {
    found_ = FindKernel(guest_.snapshot());
    return FindOtherKernel(guest_.memory(), guest_.snapshot().cpus, *found_.map);
  }

  LinuxGuest guest_;
  FoundKernel found_;
};

TEST_F(OtherKernelTest, AMachineWithOneKernelHasNoOther) { EXPECT_FALSE(Find().has_value()); }

TEST_F(OtherKernelTest, TheCpuThatRanTheCrashKernelIsTold) {
  PutVmcoreInfo();
  guest_.snapshot().cpus[0].cr3 = kTables.value;
  const auto other = Find();
  EXPECT_EQ(found_.vmcoreinfo->release(), LinuxGuest::kRelease) << "CPU 1 was halted by the panic, on its tables";
  ASSERT_TRUE(other.has_value());
  EXPECT_EQ(other->release, "6.1.0-crash");
  EXPECT_EQ(other->image.range.start, kImage);
  EXPECT_THAT(other->cpus, ElementsAre(0));
  const std::string said = DescribeOtherKernel(*other, *found_.map);
  EXPECT_THAT(said,
              HasSubstr("registers and stacks of CPU 0 are those of another kernel, Linux 6.1.0-crash at 0x2800000"));
  EXPECT_THAT(said, HasSubstr("the kernel at 0x1a00000"));
}

TEST_F(OtherKernelTest, ACrashKernelWithoutVmcoreInfoIsToldByItsPageTables) {
  guest_.snapshot().cpus[0].cr3 = kTables.value;
  const auto other = Find();
  ASSERT_TRUE(other.has_value());
  EXPECT_THAT(DescribeOtherKernel(*other, *found_.map), HasSubstr("Linux of unknown release at 0x2800000"));
}

TEST_F(OtherKernelTest, OfASingleCpuOnTheCrashKernelTheOtherIsTheOneThatPanicked) {
  PutVmcoreInfo();
  guest_.snapshot().cpus.resize(1);
  guest_.snapshot().cpus[0].cr3 = kTables.value;
  const auto other = Find();
  EXPECT_EQ(found_.vmcoreinfo->release(), "6.1.0-crash");
  ASSERT_TRUE(other.has_value());
  EXPECT_EQ(other->release, LinuxGuest::kRelease);
  EXPECT_THAT(other->cpus, ElementsAre());
  EXPECT_THAT(DescribeOtherKernel(*other, *found_.map), HasSubstr("no CPU runs it"));
}

TEST_F(OtherKernelTest, ACpuInAProgramOfTheReportedKernelRunsNoOther) {
  guest_.snapshot().cpus[0].cr3 = guest_.NewProcess().value;
  EXPECT_FALSE(Find().has_value());
}

}  // namespace
}  // namespace vmm
