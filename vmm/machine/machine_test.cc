#include "vmm/machine/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "vmm/boot/testing/bzimage_builder.h"

namespace vmm {
namespace {

using testing::HasSubstr;

// Returns why Create() refused `config`, on a host without KVM.
std::string Refusal(VmConfig config) {
  config.kvm_path = "/nowhere/kvm";
  config.memory_bytes = 64 << 20;
  const auto events = RunEvents::Create(/*stop_at_panic=*/false);
  EXPECT_TRUE(events.ok());
  const auto machine = Machine::Create(config, **events, [](std::span<const uint8_t>) {});
  EXPECT_FALSE(machine.ok());
  return std::string(machine.status().message());
}

class MachineTest : public testing::Test {
 protected:
  const std::string good_ = WriteTestFile("kernel", BzImageBuilder().Image());
  VmConfig config_;
};

TEST_F(MachineTest, AMissingKernelIsNamedBeforeAMissingKvm) {
  config_.boot.kernel_path = "/nowhere/kernel";
  EXPECT_THAT(Refusal(config_), HasSubstr("kernel /nowhere/kernel: open: No such file"));
}

TEST_F(MachineTest, AMissingInitrdIsNamedBeforeAMissingKvm) {
  config_.boot = {.kernel_path = good_, .initrd_path = "/nowhere/initrd"};
  EXPECT_THAT(Refusal(config_), HasSubstr("initrd /nowhere/initrd: open: No such file"));
}

TEST_F(MachineTest, AKernelThatIsDamagedDeepInsideIsNamedBeforeAMissingKvm) {
  BzImageBuilder builder;
  builder.codec = Codec::kXz;
  builder.spoil_stream = [](std::vector<uint8_t>& stream) { stream[stream.size() - 20] ^= 1; };
  config_.boot = {.kernel_path = WriteTestFile("damaged", builder.Image())};
  EXPECT_THAT(Refusal(config_), HasSubstr("xz payload"));
}

TEST_F(MachineTest, AnInitrdThatDoesNotFitIsNamedBeforeAMissingKvm) {
  config_.boot = {.kernel_path = good_, .initrd_path = WriteTestFile("initrd", std::vector<uint8_t>(63 << 20))};
  EXPECT_THAT(Refusal(config_), HasSubstr("give it more memory"));
}

TEST_F(MachineTest, AMissingKvmIsNamedWhereTheImagesAreGood) {
  config_.boot = {.kernel_path = good_};
  EXPECT_THAT(Refusal(config_), HasSubstr("open /nowhere/kvm: No such file"));
}

}  // namespace
}  // namespace vmm
