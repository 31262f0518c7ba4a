#include "vmm/vcpu/dispatch_exit.h"

#include <array>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace vmm {
namespace {

// Keeps every write, and returns a counter on reads.
class RecordingDevice final : public Device {
 public:
  std::string_view name() const override { return "recorder"; }
  void Read(uint64_t, std::span<uint8_t> data) override {
    for (uint8_t& byte : data) byte = next_++;
  }
  void Write(uint64_t offset, std::span<const uint8_t> data) override {
    writes.push_back({offset, std::vector<uint8_t>(data.begin(), data.end())});
  }
  std::vector<std::pair<uint64_t, std::vector<uint8_t>>> writes;

 private:
  uint8_t next_ = 1;
};

struct Panics final : PanicSink {
  void OnPanic(const PanicEvent& event) override { events.push_back(event); }
  std::vector<PanicEvent> events;
};

class DispatchExitTest : public testing::Test {
 protected:
  DispatchExitTest() {
    EXPECT_TRUE(pio_.Add(0x100, 8, &device_).ok());
    EXPECT_TRUE(mmio_.Add(0xd0000000, 0x1000, &device_).ok());
  }
  NextStep Dispatch(const VcpuExit& exit) { return DispatchExit(exit, /*vcpu=*/3, {pio_, mmio_}, panics_); }

  RecordingDevice device_;
  Bus pio_, mmio_;
  Panics panics_;
};

TEST_F(DispatchExitTest, EachElementOfAStringWriteIsAnAccessOfItsOwn) {
  std::array<uint8_t, 6> data{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(Dispatch(IoExit{.port = 0x101, .size = 2, .is_write = true, .data = data}), NextStep::kResume);
  const std::vector<std::pair<uint64_t, std::vector<uint8_t>>> want{{1, {1, 2}}, {1, {3, 4}}, {1, {5, 6}}};
  EXPECT_EQ(device_.writes, want);
}

TEST_F(DispatchExitTest, AStringReadFillsEveryElement) {
  std::array<uint8_t, 3> data{};
  Dispatch(IoExit{.port = 0x100, .size = 1, .is_write = false, .data = data});
  EXPECT_EQ(data, (std::array<uint8_t, 3>{1, 2, 3}));
}

TEST_F(DispatchExitTest, MmioReachesItsDeviceAndNothingReadsAsOnes) {
  std::array<uint8_t, 4> data{9, 9, 9, 9};
  Dispatch(MmioExit{.address = 0xd0000010, .is_write = true, .data = data});
  EXPECT_EQ(device_.writes.at(0).first, 0x10u);
  Dispatch(MmioExit{.address = 0xc0000000, .is_write = false, .data = data});
  EXPECT_EQ(data, (std::array<uint8_t, 4>{0xff, 0xff, 0xff, 0xff}));
}

TEST_F(DispatchExitTest, ATripleFaultIsAPanicOfThatVcpu) {
  EXPECT_EQ(Dispatch(ShutdownExit{}), NextStep::kStop);
  ASSERT_EQ(panics_.events.size(), 1u);
  EXPECT_EQ(panics_.events[0].source, PanicSource::kTripleFault);
  EXPECT_EQ(panics_.events[0].vcpu, 3);
}

TEST_F(DispatchExitTest, AnInternalErrorNamesTheSuberrorAndTheBytes) {
  EXPECT_EQ(Dispatch(InternalErrorExit{.suberror = 1, .instruction = {0xf0, 0x48, 0x0f}}), NextStep::kStop);
  EXPECT_EQ(panics_.events.at(0).source, PanicSource::kInternalError);
  EXPECT_EQ(panics_.events.at(0).detail, "suberror 1 (emulation), instruction bytes f0 48 0f");
}

TEST_F(DispatchExitTest, AFailedEntryAndAnUnknownExitAreNeverACleanStop) {
  EXPECT_EQ(Dispatch(FailEntryExit{.hardware_reason = 0x80000021, .cpu = 1}), NextStep::kStop);
  EXPECT_EQ(Dispatch(UnhandledExit{.reason = 99}), NextStep::kStop);
  EXPECT_EQ(panics_.events.at(0).source, PanicSource::kFailedEntry);
  EXPECT_EQ(panics_.events.at(1).detail, "KVM exit reason 99");
}

TEST_F(DispatchExitTest, AnInterruptedRunIsResumed) {
  EXPECT_EQ(Dispatch(InterruptedExit{}), NextStep::kResume);
  EXPECT_TRUE(panics_.events.empty());
}

}  // namespace
}  // namespace vmm
