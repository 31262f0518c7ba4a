#include "devices/virtio/virtio_mmio.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "devices/virtio/abi/virtio_mmio_abi.h"
#include "devices/virtio/testing/ring_driver.h"
#include "devices/virtio/virtio_rng.h"

namespace vmm {
namespace {

constexpr uint64_t kData = RingDriver::kData;
constexpr uint32_t kUpToFeaturesOk = kVirtioStatusAcknowledge | kVirtioStatusDriver | kVirtioStatusFeaturesOk;

// A hypervisor that carries no events itself.
class CountedWiring : public EventWiring {
 public:
  bool ConnectNotify(int, int) override { return false; }
  bool ConnectInterrupt(int) override { return false; }
  void Interrupt() override { ++interrupts; }
  std::atomic<int> interrupts = 0;
};

bool Soon(const std::function<bool()>& condition) {
  for (int i = 0; i < 5000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

// Answers each request with the number of bytes to read. Records what the transport does with it.
class EchoDevice final : public VirtioDevice {
 public:
  std::string_view name() const override { return "virtio-echo"; }
  uint32_t id() const override { return 99; }
  uint64_t features() const override { return 1ull << 3 | 1ull << 50; }
  std::span<const uint16_t> queue_sizes() const override { return kSizes; }
  bool is_external() const override { return external; }
  bool offers_queue_reset() const override { return queue_reset; }
  void ReadConfig(uint64_t offset, std::span<uint8_t> data) override { data[0] = static_cast<uint8_t>(0x40 + offset); }
  absl::Status Activate(uint64_t accepted, std::span<Virtqueue* const> given, IoLoop& io) override {
    features_given = accepted;
    queues.assign(given.begin(), given.end());
    loop = &io;
    if (on_activate) on_activate();
    return activate;
  }
  void OnQueue(int index) override {
    ++calls;
    Virtqueue* const queue = queues[static_cast<size_t>(index)];
    while (std::optional<DescriptorChain> request = queue->Pop()) {
      queue->Push(*request, static_cast<uint32_t>(request->readable_bytes()));
    }
    queue->Interrupt();
  }
  void SetQueue(int index, Virtqueue* queue) override { queues[static_cast<size_t>(index)] = queue; }
  void Drain() override { ++drains; }
  void Resume() override { ++resumes; }
  void TakeLeftovers() override { ++leftovers; }
  void Reset() override { ++resets; }

  bool external = false, queue_reset = false;
  absl::Status activate;
  std::function<void()> on_activate;
  uint64_t features_given = 0;
  std::vector<Virtqueue*> queues;
  std::atomic<IoLoop*> loop = nullptr;  // set after the two above
  std::atomic<int> calls = 0, drains = 0, resumes = 0, leftovers = 0, resets = 0;

 private:
  static constexpr uint16_t kSizes[] = {16, 8};
};

class VirtioMmioTest : public testing::Test {
 protected:
  void SetUp() override { Make(device_); }
  void Make(VirtioDevice& device) { mmio_ = *VirtioMmio::Create(device, *memory_, wiring_); }

  uint32_t Read(uint64_t offset) {
    std::array<uint8_t, 4> bytes;
    mmio_->Read(offset, bytes);
    return std::bit_cast<uint32_t>(bytes);
  }
  void Write(uint64_t offset, uint32_t value) { mmio_->Write(offset, std::bit_cast<std::array<uint8_t, 4>>(value)); }

  void Accept(uint64_t features) {
    Write(kVirtioMmioStatus, kVirtioStatusAcknowledge);
    Write(kVirtioMmioStatus, kVirtioStatusAcknowledge | kVirtioStatusDriver);
    for (uint32_t sel : {0u, 1u}) {
      Write(kVirtioMmioDriverFeaturesSel, sel);
      Write(kVirtioMmioDriverFeatures, static_cast<uint32_t>(features >> (32 * sel)));
    }
    Write(kVirtioMmioStatus, kUpToFeaturesOk);
  }
  void SetUpQueue(uint32_t index, const QueueLayout& layout) {
    Write(kVirtioMmioQueueSel, index);
    Write(kVirtioMmioQueueNum, layout.size);
    Write(kVirtioMmioQueueDescLow, static_cast<uint32_t>(layout.desc.value));
    Write(kVirtioMmioQueueDriverLow, static_cast<uint32_t>(layout.driver.value));
    Write(kVirtioMmioQueueDeviceLow, static_cast<uint32_t>(layout.device.value));
    Write(kVirtioMmioQueueReady, 1);
  }
  void Start() { Write(kVirtioMmioStatus, kUpToFeaturesOk | kVirtioStatusDriverOk); }
  void StartWithQueue(uint64_t features = kVirtioFVersion1) {
    Accept(features);
    SetUpQueue(0, driver_.layout());
    Start();
  }
  bool NeedsReset() { return (Read(kVirtioMmioStatus) & kVirtioStatusDeviceNeedsReset) != 0; }

  std::unique_ptr<GuestMemory> memory_ = [] {
    const std::array ranges = {GuestRange{GuestAddr{0}, 1 << 20}};
    return *GuestMemory::Create(ranges);
  }();
  CountedWiring wiring_;
  EchoDevice device_;
  SplitDriver driver_{*memory_, 8};
  VirtioRng rng_;  // devices outlive the transport, whose thread uses them
  std::unique_ptr<VirtioMmio> mmio_;
};

TEST_F(VirtioMmioTest, SaysWhatItIs) {
  EXPECT_EQ(Read(0x000), 0x74726976u);
  EXPECT_EQ(Read(0x004), 2u);
  EXPECT_EQ(Read(0x008), 99u);
  EXPECT_EQ(Read(0x034), 16u);
  Write(0x030, 2);
  EXPECT_EQ(Read(0x034), 0u) << "there is no queue 2";
  EXPECT_EQ(Read(0x044), 0u);
  EXPECT_EQ(Read(0x0b0), 0xffffffffu);
  EXPECT_EQ(Read(0x102) & 0xff, 0x42u);
  Write(0x014, 1);
  EXPECT_EQ(Read(0x010), 1u << 0 | 1u << 2 | 1u << 18);
  Write(0x014, 2);
  EXPECT_EQ(Read(0x010), 0u);
}

TEST_F(VirtioMmioTest, RegistersTakeOnlyWholeWords) {
  std::array<uint8_t, 8> bytes = {};
  mmio_->Read(0, std::span(bytes).first(2));
  EXPECT_EQ(bytes[0], 0);
  bytes[0] = 1;
  mmio_->Write(kVirtioMmioStatus, std::span(bytes).first(1));
  mmio_->Write(kVirtioMmioStatus, bytes);
  EXPECT_EQ(Read(kVirtioMmioStatus), 0u);
}

TEST_F(VirtioMmioTest, ServesADriverThatKeepsTheRules) {
  StartWithQueue(kVirtioFVersion1 | 1ull << 50);
  EXPECT_EQ(Read(kVirtioMmioStatus), 15u);
  const uint16_t id = driver_.Offer({{kData, 5, false}, {kData, 5, true}});
  Write(kVirtioMmioQueueNotify, 0);
  ASSERT_TRUE(Soon([&] { return wiring_.interrupts == 1; }));
  EXPECT_THAT(driver_.TakeUsed(), testing::ElementsAre(RingDriver::Used{id, 5}));
  EXPECT_EQ(Read(kVirtioMmioInterruptStatus), kVirtioInterruptUsedBuffer);
  Write(kVirtioMmioInterruptAck, kVirtioInterruptUsedBuffer);
  EXPECT_EQ(Read(kVirtioMmioInterruptStatus), 0u);
  EXPECT_EQ(device_.features_given, kVirtioFVersion1 | 1ull << 50);
  EXPECT_EQ(device_.queues[1], nullptr) << "the driver did not set it up";
  EXPECT_EQ(mmio_->Describe().queues[0].progress.pushed, 1u);
}

TEST_F(VirtioMmioTest, RefusesFeaturesThatItDidNotOfferOrThatLackVersion1) {
  for (const uint64_t features : {uint64_t{0}, kVirtioFVersion1 | 1, kVirtioFVersion1 | kVirtioFRingReset}) {
    Write(kVirtioMmioStatus, 0);
    Accept(features);
    EXPECT_EQ(Read(kVirtioMmioStatus), 3u) << features;
  }
  Write(kVirtioMmioStatus, 0);
  Write(kVirtioMmioStatus, 3);
  Write(kVirtioMmioStatus, 3);
  Write(kVirtioMmioDriverFeaturesSel, 2);
  Write(kVirtioMmioDriverFeatures, 1);
  Accept(kVirtioFVersion1);
  EXPECT_EQ(Read(kVirtioMmioStatus), 3u) << "a feature above bit 63";
}

TEST_F(VirtioMmioTest, FeaturesAreFrozenAtFeaturesOk) {
  Accept(kVirtioFVersion1);
  Write(kVirtioMmioDriverFeaturesSel, 0);
  Write(kVirtioMmioDriverFeatures, 1u << 3);
  SetUpQueue(0, driver_.layout());
  Start();
  ASSERT_TRUE(Soon([&] { return device_.calls > 0; }));
  EXPECT_EQ(device_.features_given, kVirtioFVersion1);
}

TEST_F(VirtioMmioTest, StatusBitsComeInOrderAndGoOnlyByAReset) {
  Write(kVirtioMmioStatus, kVirtioStatusDriver);
  EXPECT_EQ(Read(kVirtioMmioStatus), 0u) << "ACKNOWLEDGE first";
  Write(kVirtioMmioStatus, 15);
  EXPECT_EQ(Read(kVirtioMmioStatus), 3u) << "no features yet";
  Write(kVirtioMmioStatus, 3 | kVirtioStatusDriverOk);
  EXPECT_EQ(Read(kVirtioMmioStatus), 3u) << "DRIVER_OK without FEATURES_OK";
  Accept(kVirtioFVersion1);
  Write(kVirtioMmioStatus, 1);
  EXPECT_EQ(Read(kVirtioMmioStatus), 11u);
  Write(kVirtioMmioStatus, 11 | kVirtioStatusFailed);
  EXPECT_EQ(Read(kVirtioMmioStatus), 11u | kVirtioStatusFailed);
  Write(kVirtioMmioStatus, 0);
  EXPECT_EQ(Read(kVirtioMmioStatus), 0u);
}

TEST_F(VirtioMmioTest, AQueueLargerThanTheMaximumIsRefusedAtTheWriteAndNeverReady) {
  for (const uint32_t size : {0u, 3u, 32u, 65536u + 8, 0xffffffffu}) {
    Write(kVirtioMmioStatus, 0);
    Accept(kVirtioFVersion1);
    QueueLayout layout = driver_.layout();
    SetUpQueue(1, layout);
    EXPECT_EQ(Read(kVirtioMmioQueueReady), 1u);
    Write(kVirtioMmioQueueSel, 0);
    Write(kVirtioMmioQueueDescLow, static_cast<uint32_t>(layout.desc.value));
    Write(kVirtioMmioQueueNum, size);
    Write(kVirtioMmioQueueReady, 1);
    EXPECT_EQ(Read(kVirtioMmioQueueReady), 0u) << size;
    EXPECT_TRUE(NeedsReset()) << size;
  }
}

TEST_F(VirtioMmioTest, AReadyQueuesSizeAndAddressesAreFrozen) {
  Accept(kVirtioFVersion1);
  SetUpQueue(0, driver_.layout());
  Write(kVirtioMmioQueueNum, 16);
  Write(kVirtioMmioQueueDescLow, 0x5000);
  Write(kVirtioMmioQueueDeviceHigh, 1);
  Start();
  Write(kVirtioMmioQueueDriverLow, 0x5000);
  Write(kVirtioMmioQueueReady, 1);
  const QueueLayout layout = mmio_->Describe().queues[0].layout;
  EXPECT_EQ(layout.size, 8);
  EXPECT_EQ(layout.desc.value, RingDriver::kDesc);
  EXPECT_EQ(layout.driver.value, RingDriver::kDriver);
  EXPECT_EQ(layout.device.value, RingDriver::kDevice);
}

TEST_F(VirtioMmioTest, AQueueCannotComeAfterDriverOkNorBeforeFeaturesOk) {
  SetUpQueue(0, driver_.layout());
  EXPECT_EQ(Read(kVirtioMmioQueueReady), 0u);
  StartWithQueue();
  SetUpQueue(1, driver_.layout());
  EXPECT_EQ(Read(kVirtioMmioQueueReady), 0u);
}

TEST_F(VirtioMmioTest, ABrokenRingNeedsAResetAndSaysSoByAConfigInterrupt) {
  StartWithQueue();
  driver_.Publish(8);
  Write(kVirtioMmioQueueNotify, 0);
  ASSERT_TRUE(Soon([&] { return wiring_.interrupts > 0; }));
  EXPECT_TRUE(NeedsReset());
  EXPECT_EQ(Read(kVirtioMmioInterruptStatus), kVirtioInterruptConfigChange);
  Write(kVirtioMmioStatus, 0);
  EXPECT_FALSE(NeedsReset());
  EXPECT_EQ(device_.resets, 1);

  std::ranges::fill(*memory_->Span({GuestAddr{0}, 0x10000}), 0);
  SplitDriver again(*memory_, 8);
  StartWithQueue();
  again.Offer({{kData, 5, false}});
  Write(kVirtioMmioQueueNotify, 0);
  EXPECT_TRUE(Soon([&] { return !again.TakeUsed().empty(); })) << "works again";
}

TEST_F(VirtioMmioTest, AnErrorOfActivateNeedsAReset) {
  device_.activate = absl::UnavailableError("no back end");
  StartWithQueue();
  EXPECT_TRUE(Soon([&] { return NeedsReset(); }));
  Write(kVirtioMmioQueueNotify, 0);
  EXPECT_TRUE(mmio_->Pause(absl::Seconds(5), false));
  EXPECT_EQ(device_.drains, 0);
}

TEST_F(VirtioMmioTest, AResetHasEndedTheThreadBeforeTheWriteReturns) {
  for (int i = 0; i < 50; ++i) {
    StartWithQueue();
    Write(kVirtioMmioQueueNotify, 0);
    Write(kVirtioMmioStatus, 0);
    const int calls = device_.calls;
    Write(kVirtioMmioQueueNotify, 0);
    EXPECT_EQ(device_.calls, calls);
    EXPECT_EQ(device_.resets, i + 1);
    EXPECT_EQ(Read(kVirtioMmioQueueReady), 0u);
  }
}

TEST_F(VirtioMmioTest, APausedDeviceIsDrainedAndServesNothingUntilResumed) {
  StartWithQueue();
  ASSERT_TRUE(mmio_->Pause(absl::Seconds(5), false));
  EXPECT_EQ(device_.drains, 1);
  driver_.Offer({{kData, 5, false}});
  Write(kVirtioMmioQueueNotify, 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(driver_.TakeUsed().empty());
  mmio_->Resume();
  EXPECT_TRUE(Soon([&] { return !driver_.TakeUsed().empty(); }));
  EXPECT_EQ(device_.resumes, 1);
  EXPECT_EQ(device_.leftovers, 0);
  ASSERT_TRUE(mmio_->Pause(absl::Seconds(5), true));
  EXPECT_EQ(device_.leftovers, 1);
  Write(kVirtioMmioStatus, 0);  // a parked thread ends too
}

TEST_F(VirtioMmioTest, APauseDoesNotWaitForeverForADeviceThatIsStuck) {
  std::atomic<bool> go = false;
  device_.on_activate = [&] {
    while (!go) std::this_thread::yield();
  };
  StartWithQueue();
  EXPECT_FALSE(mmio_->Pause(absl::Milliseconds(20), false));
  go = true;
  EXPECT_TRUE(mmio_->Pause(absl::Seconds(5), false));
}

TEST_F(VirtioMmioTest, AQueueThatTheDriverTakesAwayStops) {
  StartWithQueue();
  Write(kVirtioMmioQueueReady, 0);
  EXPECT_EQ(Read(kVirtioMmioQueueReady), 0u);
  driver_.Offer({{kData, 5, false}});
  Write(kVirtioMmioQueueNotify, 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(driver_.TakeUsed().empty());
}

TEST_F(VirtioMmioTest, AQueueThatWasResetComesBack) {
  device_.queue_reset = true;
  StartWithQueue(kVirtioFVersion1 | kVirtioFRingReset);
  for (int i = 0; i < 20; ++i) {
    Write(kVirtioMmioQueueReset, 1);
    EXPECT_EQ(Read(kVirtioMmioQueueReset), 0u);
    EXPECT_EQ(Read(kVirtioMmioQueueReady), 0u);
    std::ranges::fill(*memory_->Span({GuestAddr{0}, 0x10000}), 0);
    SplitDriver again(*memory_, 8);
    SetUpQueue(0, again.layout());
    ASSERT_EQ(Read(kVirtioMmioQueueReady), 1u);
    again.Offer({{kData, 5, false}});
    Write(kVirtioMmioQueueNotify, 0);
    ASSERT_TRUE(Soon([&] { return !again.TakeUsed().empty(); }));
  }
}

TEST_F(VirtioMmioTest, AnExternalBackEndHasTheQueueToItself) {
  device_.external = true;
  Make(device_);
  StartWithQueue();
  ASSERT_TRUE(Soon([&] { return device_.loop != nullptr; }));
  Write(kVirtioMmioQueueNotify, 0);
  uint64_t signals = 0;
  ASSERT_TRUE(Soon([&] { return read(device_.queues[0]->kick_fd(), &signals, sizeof(signals)) == sizeof(signals); }));
  EXPECT_EQ(signals, 1u);
  EXPECT_EQ(device_.calls, 0);
  const uint64_t one = 1;
  ASSERT_EQ(write(device_.queues[0]->interrupt_fd(), &one, sizeof(one)), 8);
  EXPECT_TRUE(Soon([&] { return wiring_.interrupts == 1; }));
  Write(kVirtioMmioInterruptAck, kVirtioInterruptUsedBuffer);
  EXPECT_EQ(Read(kVirtioMmioInterruptStatus), kVirtioInterruptUsedBuffer) << "the back end may have interrupted";
}

TEST_F(VirtioMmioTest, ALoopCarriesDescriptorsTimesAndConfigChanges) {
  EventFd event = *EventFd::Create();
  std::atomic<int> ready = 0, timer = 0;
  device_.on_activate = [&] {
    device_.loop.load()->Watch(event.fd(), EPOLLIN, [&](uint32_t events) {
      ready = static_cast<int>(events);
      device_.loop.load()->Unwatch(event.fd());
    });
    device_.loop.load()->After(absl::Milliseconds(5), [&] {
      timer = 1;
      device_.loop.load()->ConfigChanged();
    });
  };
  StartWithQueue();
  event.Signal();
  EXPECT_TRUE(Soon([&] { return ready == EPOLLIN; }));
  EXPECT_TRUE(Soon([&] { return timer == 1 && wiring_.interrupts == 1; }));
  EXPECT_EQ(Read(kVirtioMmioConfigGeneration), 1u);
  EXPECT_EQ(Read(kVirtioMmioInterruptStatus), kVirtioInterruptConfigChange);
}

TEST_F(VirtioMmioTest, AnEntropySourceFillsWhatIsAskedForUpToItsLimit) {
  Make(rng_);
  StartWithQueue();
  driver_.Offer({{kData, 64, true}});
  driver_.Offer({{kData, 0x8000, true}});
  driver_.Offer({{kData, 64, false}});
  Write(kVirtioMmioQueueNotify, 0);
  std::vector<RingDriver::Used> used;
  ASSERT_TRUE(Soon([&] {
    for (const RingDriver::Used& it : driver_.TakeUsed()) used.push_back(it);
    return used.size() == 3;
  }));
  EXPECT_EQ(used[0].len, 64u);
  EXPECT_EQ(used[1].len, VirtioRng::kMaxBytes);
  EXPECT_EQ(used[2].len, 0u);
  const std::span<const uint8_t> bytes = memory_->Lend({GuestAddr{kData}, VirtioRng::kMaxBytes});
  EXPECT_GT(std::ranges::count_if(bytes, [](uint8_t byte) { return byte != 0; }), 3900);
}

}  // namespace
}  // namespace vmm
