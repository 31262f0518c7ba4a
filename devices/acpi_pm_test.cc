#include "devices/acpi_pm.h"

#include <array>
#include <vector>

#include "gtest/gtest.h"

namespace vmm {
namespace {

uint16_t Read16(Device& device, uint64_t offset) {
  std::array<uint8_t, 2> data{};
  device.Read(offset, data);
  return static_cast<uint16_t>(data[0] | data[1] << 8);
}

uint32_t Read32(Device& device) {
  std::array<uint8_t, 4> data{};
  device.Read(0, data);
  return uint32_t{data[0]} | uint32_t{data[1]} << 8 | uint32_t{data[2]} << 16 | uint32_t{data[3]} << 24;
}

void Write16(Device& device, uint64_t offset, uint16_t value) {
  device.Write(offset, std::array<uint8_t, 2>{static_cast<uint8_t>(value), static_cast<uint8_t>(value >> 8)});
}

class Line final : public IrqLine {
 public:
  void Set(bool new_level) override { level = new_level; }
  bool level = false;
};

TEST(AcpiPm1EventTest, ThePowerButtonIsAStatusUntilAOneIsWrittenToIt) {
  Line sci;
  AcpiPm1Event event(sci);
  event.PressPowerButton();
  EXPECT_EQ(Read16(event, 0), AcpiPm1Event::kPwrbtn);
  Write16(event, 0, static_cast<uint16_t>(~AcpiPm1Event::kPwrbtn));
  EXPECT_EQ(Read16(event, 0), AcpiPm1Event::kPwrbtn);
  Write16(event, 0, AcpiPm1Event::kPwrbtn);
  EXPECT_EQ(Read16(event, 0), 0);
}

TEST(AcpiPm1EventTest, TheSciFollowsStatusAndEnable) {
  Line sci;
  AcpiPm1Event event(sci);
  event.PressPowerButton();
  EXPECT_FALSE(sci.level);
  Write16(event, 2, AcpiPm1Event::kPwrbtn);
  EXPECT_EQ(Read16(event, 2), AcpiPm1Event::kPwrbtn);
  EXPECT_TRUE(sci.level);
  Write16(event, 0, AcpiPm1Event::kPwrbtn);
  EXPECT_FALSE(sci.level);
  EXPECT_EQ(Read16(event, 2), AcpiPm1Event::kPwrbtn);
}

TEST(AcpiPm1EventTest, BytesOfItsRegistersCanBeWritten) {
  Line sci;
  AcpiPm1Event event(sci);
  event.Write(3, std::array<uint8_t, 1>{AcpiPm1Event::kPwrbtn >> 8});
  EXPECT_EQ(Read16(event, 2), AcpiPm1Event::kPwrbtn);
  event.Write(2, std::array<uint8_t, 1>{0x20});
  EXPECT_EQ(Read16(event, 2), AcpiPm1Event::kPwrbtn | 0x20);
}

class AcpiPm1ControlTest : public ::testing::Test, public GuestRequestSink {
 protected:
  void OnGuestRequest(const GuestRequest& request) override { requests.push_back(request); }

  std::vector<GuestRequest> requests;
  AcpiPm1Control control{*this};
};

// AcpiHwLegacySleep writes the type first, and then the type with SLP_EN.
TEST_F(AcpiPm1ControlTest, SleepTypeFiveWithSlpEnPowersOff) {
  const uint16_t type = AcpiPm1Control::kSlpTypS5 << AcpiPm1Control::kSlpTypShift;
  Write16(control, 0, Read16(control, 0) | type);
  EXPECT_TRUE(requests.empty());
  Write16(control, 0, Read16(control, 0) | AcpiPm1Control::kSlpEn);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].kind, GuestRequest::Kind::kPowerOff);
  EXPECT_EQ(requests[0].by, "acpi");
  EXPECT_EQ(Read16(control, 0) & AcpiPm1Control::kSlpEn, 0);
}

TEST_F(AcpiPm1ControlTest, TheUpperByteAloneIsEnough) {
  control.Write(1, std::array<uint8_t, 1>{0x34});
  EXPECT_EQ(requests.size(), 1u);
}

TEST_F(AcpiPm1ControlTest, OtherSleepTypesDoNothing) {
  for (uint16_t type : {0, 1, 3, 4, 6, 7}) {
    Write16(control, 0, static_cast<uint16_t>(AcpiPm1Control::kSlpEn | type << AcpiPm1Control::kSlpTypShift));
  }
  EXPECT_TRUE(requests.empty());
}

TEST_F(AcpiPm1ControlTest, SciEnReadsOneWhateverIsWritten) {
  Write16(control, 0, 0);
  EXPECT_EQ(Read16(control, 0), AcpiPm1Control::kSciEn);
}

TEST(AcpiPmTimerTest, CountsAt3579545Hertz) {
  absl::Duration now;
  AcpiPmTimer timer([&] { return now; });
  EXPECT_EQ(Read32(timer), 0u);
  now = absl::Seconds(1);
  EXPECT_EQ(Read32(timer), 3579545u);
  now += absl::Milliseconds(200);
  EXPECT_EQ(Read32(timer), 3579545u + 715909u);
}

TEST(AcpiPmTimerTest, WrapsAfter32BitsAndCountsOnForYears) {
  absl::Duration now = absl::Seconds(1200);
  AcpiPmTimer timer([&] { return now; });
  EXPECT_EQ(Read32(timer), static_cast<uint32_t>(1200ull * 3579545));
  now = absl::Hours(24 * 365 * 100);
  EXPECT_EQ(Read32(timer), static_cast<uint32_t>(3153600000ull * 3579545));
}

TEST(AcpiPmTimerTest, ItsBytesCanBeReadAlone) {
  AcpiPmTimer timer([] { return absl::Seconds(1); });
  std::array<uint8_t, 1> data{};
  timer.Read(2, data);
  EXPECT_EQ(data[0], 3579545 >> 16 & 0xff);
}

}  // namespace
}  // namespace vmm
