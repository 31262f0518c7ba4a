#include "devices/pvpanic.h"

#include <array>
#include <vector>

#include "devices/abi/pvpanic_abi.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PvpanicTest : public ::testing::Test, public PanicSink, public GuestRequestSink {
 protected:
  void OnPanic(const PanicEvent& event) override { panics.push_back(event); }
  void OnGuestRequest(const GuestRequest& request) override { requests.push_back(request); }

  void WriteByte(uint8_t value) { device.Write(0, std::array<uint8_t, 1>{value}); }

  std::vector<PanicEvent> panics;
  std::vector<GuestRequest> requests;
  Pvpanic device{*this, *this};
};

TEST_F(PvpanicTest, AByteReadTellsThatAllThreeEventsAreUnderstood) {
  std::array<uint8_t, 1> data{};
  device.Read(0, data);
  EXPECT_EQ(data[0], 7);
}

TEST_F(PvpanicTest, A32BitReadOf2012HasTheSameLowByteAndNothingAbove) {
  std::array<uint8_t, 4> data{0xaa, 0xaa, 0xaa, 0xaa};
  device.Read(0, data);
  EXPECT_THAT(data, ElementsAre(7, 0, 0, 0));
}

TEST_F(PvpanicTest, PanickedIsAPanic) {
  WriteByte(kPvpanicPanicked);
  ASSERT_EQ(panics.size(), 1u);
  EXPECT_EQ(panics[0].source, PanicSource::kPvpanic);
  EXPECT_EQ(panics[0].vcpu, -1);
  EXPECT_FALSE(panics[0].crash_loaded);
  EXPECT_EQ(panics[0].detail, "guest wrote 0x1: panicked");
  EXPECT_TRUE(requests.empty());
}

TEST_F(PvpanicTest, A32BitWriteOf2012IsAPanic) {
  device.Write(0, std::array<uint8_t, 4>{1, 0, 0, 0});
  ASSERT_EQ(panics.size(), 1u);
  EXPECT_FALSE(panics[0].crash_loaded);
}

TEST_F(PvpanicTest, CrashLoadedIsAPanicThatSaysSo) {
  WriteByte(kPvpanicCrashLoaded);
  ASSERT_EQ(panics.size(), 1u);
  EXPECT_TRUE(panics[0].crash_loaded);
  EXPECT_THAT(panics[0].detail, HasSubstr("crash kernel loaded"));
}

TEST_F(PvpanicTest, ShutdownIsAPowerOffRequest) {
  WriteByte(kPvpanicShutdown);
  EXPECT_TRUE(panics.empty());
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].kind, GuestRequest::Kind::kPowerOff);
  EXPECT_EQ(requests[0].by, "pvpanic");
}

TEST_F(PvpanicTest, SeveralBitsAreOneEventAndPanickedComesFirst) {
  WriteByte(kPvpanicPanicked | kPvpanicCrashLoaded | kPvpanicShutdown);
  ASSERT_EQ(panics.size(), 1u);
  EXPECT_FALSE(panics[0].crash_loaded);
  EXPECT_THAT(panics[0].detail, HasSubstr("panicked, crash kernel loaded, shutdown"));
  EXPECT_TRUE(requests.empty());
}

TEST_F(PvpanicTest, UnknownBitsAreNamedBesideKnownOnesAndNothingAlone) {
  WriteByte(0xf9);
  ASSERT_EQ(panics.size(), 1u);
  EXPECT_THAT(panics[0].detail, HasSubstr("unknown bits 0xf8 ignored"));
  WriteByte(0xf8);
  WriteByte(0);
  device.Write(1, std::array<uint8_t, 1>{1});
  EXPECT_EQ(panics.size(), 1u);
  EXPECT_TRUE(requests.empty());
}

}  // namespace
}  // namespace vmm
