#include "vmm/boot/virtio_aml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "vmm/boot/abi/acpi_abi.h"
#include "vmm/boot/aml.h"
#include "vmm/boot/virtio_aml_by_iasl.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

using testing::ElementsAreArray;

TEST(VirtioAml, IsWhatIaslMakesOfTheSameDevices) {
  const std::vector<uint8_t> by_iasl(std::begin(kVirtioAmlByIasl) + sizeof(AcpiHeader), std::end(kVirtioAmlByIasl));
  EXPECT_THAT(VirtioDevicesAml(3), ElementsAreArray(by_iasl));
}

TEST(VirtioAml, NamesEveryDeviceThatTheMemoryMapHasRoomFor) {
  const AmlBytes aml = VirtioDevicesAml(kMaxVirtioDevices);
  const std::string_view text(reinterpret_cast<const char*>(aml.data()), aml.size());
  EXPECT_NE(text.find("VR10"), std::string_view::npos);  // the seventeenth
  EXPECT_EQ(text.find("VR11"), std::string_view::npos);
}

TEST(Aml, LengthsGrowByAByteAt64AndAt4096) {
  EXPECT_EQ(AmlScope("ABCD", AmlBytes(58, 0))[1], 0x3f);
  const AmlBytes two = AmlScope("ABCD", AmlBytes(59, 0));
  EXPECT_EQ(two[1], 0x40 | (65 & 0x0f));
  EXPECT_EQ(two[2], 65 >> 4);
  const AmlBytes last = AmlScope("ABCD", AmlBytes(4095 - 6, 0));
  EXPECT_EQ(last[1], 0x4f);
  EXPECT_EQ(last[2], 0xff);
  const AmlBytes three = AmlScope("ABCD", AmlBytes(4096 - 6, 0));
  EXPECT_EQ(three[1] & 0xc0, 0x80);
  EXPECT_EQ(three.size(), 4097u + 1);
}

}  // namespace
}  // namespace vmm
