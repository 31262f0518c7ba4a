#include "devices/pc_testdev.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

namespace vmm {
namespace {

using testing::Each;
using testing::ElementsAre;

std::vector<uint8_t> ReadFrom(Device& device, uint64_t offset, size_t size) {
  std::vector<uint8_t> data(size);
  device.Read(offset, data);
  return data;
}

void WriteTo(Device& device, uint64_t offset, const std::vector<uint8_t>& data) { device.Write(offset, data); }

TEST(TestRegisterTest, EveryWidthGivesBackWhatWasWritten) {
  TestRegister device;
  WriteTo(device, 0, {0x11, 0x22, 0x33, 0x44});
  EXPECT_THAT(ReadFrom(device, 0, 4), ElementsAre(0x11, 0x22, 0x33, 0x44));
  WriteTo(device, 2, {0x55, 0x66});
  WriteTo(device, 1, {0x77});
  EXPECT_THAT(ReadFrom(device, 0, 4), ElementsAre(0x11, 0x77, 0x55, 0x66));
  EXPECT_THAT(ReadFrom(device, 3, 1), ElementsAre(0x66));
}

TEST(TestRegisterTest, BytesAfterTheRegisterAreNotItsOwn) {
  TestRegister device;
  WriteTo(device, 0, {1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_THAT(ReadFrom(device, 2, 4), ElementsAre(3, 4, 0xff, 0xff));
}

TEST(TestMemoryTest, ItKeepsBytesToItsLast) {
  TestMemory device;
  EXPECT_THAT(ReadFrom(device, TestMemory::kSize - 8, 8), Each(0));
  WriteTo(device, TestMemory::kSize - 8, {1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_THAT(ReadFrom(device, TestMemory::kSize - 4, 4), ElementsAre(5, 6, 7, 8));
}

TEST(TestFlushTest, AFlushedPageKeepsItsBytes) {
  const std::vector<GuestRange> ram{{GuestAddr{0}, 16 * kPageSize}};
  const auto memory = GuestMemory::Create(ram);
  ASSERT_TRUE(memory.ok());
  ASSERT_TRUE((*memory)->WriteObject(GuestAddr{0x3ff0}, uint64_t{0x1234567890}).ok());
  TestFlush device(**memory);
  WriteTo(device, 0, {0xf0, 0x3f, 0, 0});
  EXPECT_EQ(*(*memory)->ReadObject<uint64_t>(GuestAddr{0x3ff0}), uint64_t{0x1234567890});
}

TEST(TestFlushTest, AnAddressThatIsNotRamIsIgnored) {
  const std::vector<GuestRange> ram{{GuestAddr{0}, 16 * kPageSize}};
  const auto memory = GuestMemory::Create(ram);
  ASSERT_TRUE(memory.ok());
  TestFlush device(**memory);
  WriteTo(device, 0, {0xff, 0xff, 0xff, 0xff});
  WriteTo(device, 0, {0, 0, 1, 0});
  WriteTo(device, 0, {0});
}

class RecordedLine final : public IrqLine {
 public:
  void Set(bool level) override { levels.push_back(level); }
  std::vector<bool> levels;
};

TEST(TestIrqLinesTest, APortIsALine) {
  std::map<int, RecordedLine> lines;
  TestIrqLines device([&](int number) -> IrqLine& { return lines[number]; });
  WriteTo(device, 5, {1});
  WriteTo(device, 5, {0});
  WriteTo(device, 23, {0xff});
  WriteTo(device, 7, {1, 0});  // the device takes single bytes only
  EXPECT_THAT(lines[5].levels, ElementsAre(true, false));
  EXPECT_THAT(lines[23].levels, ElementsAre(true));
  EXPECT_EQ(lines.count(7), 0u);
}

}  // namespace
}  // namespace vmm
