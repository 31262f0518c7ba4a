#include "devices/debug_exit.h"

#include <array>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::ElementsAre;

class DebugExitTest : public ::testing::Test, public GuestRequestSink {
 protected:
  void OnGuestRequest(const GuestRequest& request) override {
    EXPECT_EQ(request.kind, GuestRequest::Kind::kExit);
    EXPECT_EQ(request.by, "debug-exit");
    statuses.push_back(request.status);
  }

  std::vector<uint32_t> statuses;
  DebugExit device{*this};
};

TEST_F(DebugExitTest, EveryWidthCarriesItsStatus) {
  device.Write(0, std::array<uint8_t, 1>{0});
  device.Write(0, std::array<uint8_t, 1>{119});
  device.Write(0, std::array<uint8_t, 2>{0x34, 0x12});
  device.Write(0, std::array<uint8_t, 4>{0x78, 0x56, 0x34, 0x92});
  EXPECT_THAT(statuses, ElementsAre(0, 119, 0x1234, 0x92345678));
}

TEST_F(DebugExitTest, ItsUpperBytesAreNoPortsOfTheirOwn) {
  device.Write(1, std::array<uint8_t, 1>{5});
  EXPECT_TRUE(statuses.empty());
}

TEST_F(DebugExitTest, AByteToTheNextPortRingsAndEndsNothing) {
  int rings = 0;
  device.set_on_doorbell([&rings] { ++rings; });
  device.Write(1, std::array<uint8_t, 1>{0});
  device.Write(2, std::array<uint8_t, 1>{0});
  device.Write(1, std::array<uint8_t, 2>{0, 0});
  EXPECT_EQ(rings, 1);
  EXPECT_TRUE(statuses.empty());
}

TEST_F(DebugExitTest, ReadsAreOpenBus) {
  std::array<uint8_t, 4> data{};
  device.Read(0, data);
  EXPECT_THAT(data, ElementsAre(0xff, 0xff, 0xff, 0xff));
}

}  // namespace
}  // namespace vmm
