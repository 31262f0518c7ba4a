#include "devices/reset_control.h"

#include <array>
#include <vector>

#include "gtest/gtest.h"

namespace vmm {
namespace {

class ResetControlTest : public ::testing::Test, public GuestRequestSink {
 protected:
  void OnGuestRequest(const GuestRequest& request) override { requests.push_back(request); }

  void Write(uint8_t value) { device.Write(0, std::array<uint8_t, 1>{value}); }
  uint8_t Read() {
    std::array<uint8_t, 1> data{};
    device.Read(0, data);
    return data[0];
  }

  std::vector<GuestRequest> requests;
  ResetControl device{*this};
};

TEST_F(ResetControlTest, TheAcpiResetValueResets) {
  Write(0x06);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].kind, GuestRequest::Kind::kReset);
  EXPECT_EQ(requests[0].by, "port 0xcf9");
}

TEST_F(ResetControlTest, LinuxRebootPciReadsThenArmsThenResets) {
  Write(Read() | ResetControl::kSysRst);
  EXPECT_TRUE(requests.empty());
  EXPECT_EQ(Read(), ResetControl::kSysRst);
  Write(Read() | ResetControl::kRstCpu);
  EXPECT_EQ(requests.size(), 1u);
}

TEST_F(ResetControlTest, ASoftResetIsAResetToo) {
  Write(ResetControl::kRstCpu);
  EXPECT_EQ(requests.size(), 1u);
  EXPECT_EQ(Read(), 0);
}

TEST_F(ResetControlTest, OtherBitsDoNothing) {
  Write(static_cast<uint8_t>(~ResetControl::kRstCpu));
  EXPECT_TRUE(requests.empty());
}

}  // namespace
}  // namespace vmm
