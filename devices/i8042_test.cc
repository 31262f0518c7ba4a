#include "devices/i8042.h"

#include <array>
#include <vector>

#include "gtest/gtest.h"

namespace vmm {
namespace {

class I8042Test : public ::testing::Test, public GuestRequestSink {
 protected:
  void OnGuestRequest(const GuestRequest& request) override { requests.push_back(request); }

  void Write(uint8_t value) { device.Write(0, std::array<uint8_t, 1>{value}); }
  uint8_t Status() {
    std::array<uint8_t, 1> data{};
    device.Read(0, data);
    return data[0];
  }

  std::vector<GuestRequest> requests;
  I8042 device{*this};
};

TEST_F(I8042Test, LinuxRebootPulsesTheResetLine) {
  Write(0xfe);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].kind, GuestRequest::Kind::kReset);
  EXPECT_EQ(requests[0].by, "i8042");
}

TEST_F(I8042Test, OnlyAPulseOfLineZeroResets) {
  for (int command = 0; command < 256; ++command) {
    requests.clear();
    Write(static_cast<uint8_t>(command));
    EXPECT_EQ(requests.size(), command >= 0xf0 && command % 2 == 0 ? 1u : 0u) << command;
  }
}

TEST_F(I8042Test, LinuxProbeSeesABufferThatNeverEmptiesAndGivesUp) {
  for (int read = 0; read < 17; ++read) EXPECT_TRUE(Status() & I8042::kOutputFull);
}

TEST_F(I8042Test, LinuxRebootDoesNotWaitForTheController) { EXPECT_FALSE(Status() & I8042::kInputFull); }

}  // namespace
}  // namespace vmm
