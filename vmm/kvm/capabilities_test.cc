#include "vmm/kvm/capabilities.h"

#include <linux/kvm.h>

#include <string>

#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(CapabilitiesTest, AKvmThatHasThemAllWillDo) {
  EXPECT_TRUE(CheckCapabilities([](int) { return 1; }).ok());
}

TEST(CapabilitiesTest, AMissingOneIsNamedWithItsConsequence) {
  const absl::Status status = CheckCapabilities([](int capability) { return capability == KVM_CAP_PIT2 ? 0 : 1; });
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(status.message(),
            "this KVM lacks KVM_CAP_PIT2 (without it no timer in the kernel: a guest cannot calibrate its clocks)");
}

TEST(CapabilitiesTest, AllMissingOnesAreInOneError) {
  const std::string message(CheckCapabilities([](int) { return 0; }).message());
  for (const char* name : {"KVM_CAP_USER_MEMORY", "KVM_CAP_IRQCHIP", "KVM_CAP_IMMEDIATE_EXIT", "KVM_CAP_SIGNAL_MSI"}) {
    EXPECT_NE(message.find(name), std::string::npos) << name;
  }
}

TEST(CapabilitiesTest, AnErrorOfTheQuestionCountsAsMissing) {
  EXPECT_FALSE(CheckCapabilities([](int) { return -1; }).ok());
}

}  // namespace
}  // namespace vmm
