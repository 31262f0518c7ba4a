#include "dump/nested/testing/set_nested_state.h"

#include <cerrno>
#include <cstring>
#include <functional>
#include <string_view>
#include <vector>

#include "base/guest_memory.h"
#include "dump/nested/abi/nested_state_abi.h"
#include "dump/nested/abi/vmcs12.h"
#include "dump/nested/testing/fixture.h"
#include "dump/nested/testing/set_nested_state_cases.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr std::string_view kFresh = "vmx-plain-0-fresh.bin";
constexpr std::string_view kInL1 = "vmx-plain-E-real.bin";
constexpr std::string_view kInL2 = "vmx-plain-F1-inL2.bin";
constexpr std::string_view kSvmInL2 = "svm-L2-49.bin";

void Nothing(NestedStateParts&) {}

TEST(SetNestedStateTest, WhatKvmGaveItTakesBack) {
  for (const std::string& name : BlobNames()) {
    const auto verdict = CheckSetNestedState(Fixture(name), {.vmx = name.starts_with("vmx")});
    EXPECT_EQ(0, verdict.error) << name << ": " << verdict.why;
  }
}

TEST(SetNestedStateTest, MemoryThatEndsBeforeTheStateIsAFault) {
  EXPECT_EQ(EFAULT, CheckSetNestedState({}, {}).error);
  std::vector<uint8_t> bytes = Fixture(kFresh);
  bytes.pop_back();
  EXPECT_EQ(EFAULT, CheckSetNestedState(bytes, {}).error);
  bytes = Fixture(kInL1);
  bytes.resize(128 + 997);
  EXPECT_EQ(EFAULT, CheckSetNestedState(bytes, {}).error);
  bytes = Fixture(kSvmInL2);
  bytes.pop_back();
  EXPECT_EQ(EFAULT, CheckSetNestedState(bytes, {.vmx = false}).error);
}

TEST(SetNestedStateTest, TheVerdictIsThatOfARealKvm) {
  for (const bool vmx : {true, false}) {
    for (const SetNestedStateCase& each : SetNestedStateCases(vmx)) {
      const auto verdict = CheckSetNestedState(each.Bytes(), each.taker);
      EXPECT_EQ(each.error, verdict.error) << each.fixture << ": " << each.what << ": " << verdict.why;
      EXPECT_EQ(each.error == 0, verdict.why.empty()) << each.what;
    }
  }
}

class ShadowVmcsTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kShadow = 0x3000;

  ShadowVmcsTest() {
    const GuestRange ranges[] = {{GuestAddr{0}, 1 << 20}};
    memory_ = *GuestMemory::Create(ranges);
    PutHeader(kVmcs12Revision | kVmcsShadowBit);
  }

  void PutHeader(uint32_t hdr) { EXPECT_TRUE(memory_->WriteObject(GuestAddr{kShadow}, hdr).ok()); }

  int Error(const std::function<void(NestedStateParts&)>& change) {
    NestedStateParts blob(kInL2);
    blob.header.size = kNestedTwoPages;
    blob.vmcs12.secondary_vm_exec_control |= 1 << 14;
    blob.vmcs12.vmcs_link_pointer = kShadow;
    blob.shadow_hdr = kVmcs12Revision | kVmcsShadowBit;
    change(blob);
    return CheckSetNestedState(blob.Bytes(true), {.memory = memory_.get()}).error;
  }

  std::unique_ptr<GuestMemory> memory_;
};

TEST_F(ShadowVmcsTest, IsTakenWithItsPage) {
  EXPECT_EQ(0, Error(Nothing));
  EXPECT_EQ(0, Error([](NestedStateParts& b) { b.header.size = kNestedOnePage + 998; }));
}

TEST_F(ShadowVmcsTest, IsRefusedWithoutItsPage) {
  EXPECT_EQ(EINVAL, Error([](NestedStateParts& b) { b.header.size = kNestedOnePage; }));
}

TEST_F(ShadowVmcsTest, IsRefusedWithoutItsMarkOrItsRevision) {
  EXPECT_EQ(EINVAL, Error([](NestedStateParts& b) { b.shadow_hdr = kVmcs12Revision; }));
  EXPECT_EQ(EINVAL, Error([](NestedStateParts& b) { b.shadow_hdr ^= 1; }));
}

TEST_F(ShadowVmcsTest, IsRefusedBeforeMemoryIsRestored) {
  PutHeader(0);
  EXPECT_EQ(EINVAL, Error(Nothing));
}

}  // namespace
}  // namespace vmm
