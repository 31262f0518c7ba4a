#include "vmm/run/hypervisor_guest.h"

#include <cstring>

#include "dump/nested/abi/nested_state_abi.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

CpuState With(const KvmNestedHeader& header) {
  CpuState cpu;
  cpu.nested.bytes.resize(sizeof(header));
  std::memcpy(cpu.nested.bytes.data(), &header, sizeof(header));
  return cpu;
}

TEST(HypervisorGuestTest, AGuestThatNeverBecameAHypervisorIsNone) {
  KvmNestedHeader vmx{.format = kNestedFormatVmx, .size = sizeof(KvmNestedHeader)};
  vmx.vmx.vmxon_pa = kNestedNoAddress;
  const KvmNestedHeader svm{.flags = kNestedGifSet, .format = kNestedFormatSvm, .size = sizeof(KvmNestedHeader)};
  for (const CpuState& cpu : {CpuState{}, With(vmx), With(svm)}) {
    EXPECT_FALSE(MayRunNestedGuest(cpu));
    EXPECT_FALSE(RunsNestedGuest(cpu));
  }
}

TEST(HypervisorGuestTest, VmxonAndSvmeAreAnnouncements) {
  KvmNestedHeader vmx{.format = kNestedFormatVmx, .size = sizeof(KvmNestedHeader)};
  vmx.vmx.vmxon_pa = 0x1000;
  EXPECT_TRUE(MayRunNestedGuest(With(vmx)));
  EXPECT_FALSE(RunsNestedGuest(With(vmx)));
  CpuState svm;
  svm.efer = 1 << 12;
  EXPECT_TRUE(MayRunNestedGuest(svm));
}

TEST(HypervisorGuestTest, GuestModeIsTheNestedGuestItself) {
  const KvmNestedHeader svm{.flags = kNestedGuestMode, .format = kNestedFormatSvm, .size = sizeof(KvmNestedHeader)};
  EXPECT_TRUE(RunsNestedGuest(With(svm)));
  EXPECT_TRUE(MayRunNestedGuest(With(svm)));
}

TEST(HypervisorGuestTest, AStateThatCannotBeReadMayBeAnything) {
  CpuState cpu;
  cpu.nested.error = "KVM_GET_NESTED_STATE: Invalid argument";
  EXPECT_TRUE(MayRunNestedGuest(cpu));
}

}  // namespace
}  // namespace vmm
