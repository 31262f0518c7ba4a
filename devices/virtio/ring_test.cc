#include "devices/virtio/ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "devices/virtio/abi/virtio_mmio_abi.h"
#include "devices/virtio/chain_builder.h"
#include "devices/virtio/testing/ring_driver.h"

namespace vmm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Buffer = RingDriver::Buffer;
using Used = RingDriver::Used;

constexpr uint64_t kData = RingDriver::kData;
constexpr uint64_t kRam = 1 << 20;

class Events final : public RingEvents {
 public:
  void OnUsedBuffers() override { ++interrupts; }
  void OnBroken(int /*queue*/, const absl::Status& why) override { broken.emplace_back(why.message()); }

  int interrupts = 0;
  std::vector<std::string> broken;
};

std::unique_ptr<GuestMemory> Ram() {
  const std::array ranges = {GuestRange{GuestAddr{0}, kRam}};
  return *GuestMemory::Create(ranges);
}

// Each test runs on both forms of a queue.
class RingTest : public testing::TestWithParam<bool> {
 protected:
  void Make(uint16_t size, uint64_t features = kVirtioFIndirectDesc) {
    features_ = features | kVirtioFVersion1 | (GetParam() ? kVirtioFRingPacked : 0);
    driver_ = MakeRingDriver(GetParam(), *memory_, size);
    ring_ = *Ring::Create({.layout = driver_->layout(), .features = features_}, *memory_, events_);
  }
  bool event_idx() const { return (features_ & kVirtioFEventIdx) != 0; }

  std::unique_ptr<GuestMemory> memory_ = Ram();
  uint64_t features_ = 0;
  Events events_;
  std::unique_ptr<RingDriver> driver_;
  std::unique_ptr<Ring> ring_;
};
INSTANTIATE_TEST_SUITE_P(Forms, RingTest, testing::Bool(),
                         [](const auto& form) { return form.param ? "Packed" : "Split"; });

TEST_P(RingTest, CarriesARequestThereAndBack) {
  Make(8);
  ASSERT_TRUE(memory_->WriteObject(GuestAddr{kData}, std::array{'p', 'i', 'n', 'g'}).ok());
  const uint16_t id = driver_->Offer({{kData, 2, false}, {kData + 2, 2, false}, {kData + 100, 8, true}});
  std::optional<DescriptorChain> request = ring_->Pop();
  ASSERT_TRUE(request.has_value());
  std::array<char, 4> text;
  EXPECT_TRUE(request->ReadObject(text));
  EXPECT_EQ(std::string(text.data(), 4), "ping");
  EXPECT_TRUE(request->WriteObject(std::array{'p', 'o', 'n', 'g'}));
  ring_->Push(*request, 4);
  EXPECT_THAT(driver_->TakeUsed(), ElementsAre(Used{id, 4}));
  EXPECT_EQ(*driver_->At(kData + 100), 'p');
  EXPECT_FALSE(ring_->Pop().has_value());
  EXPECT_THAT(events_.broken, ElementsAre());
}

TEST_P(RingTest, CarriesTheSameByAnIndirectTable) {
  Make(4);
  const uint16_t id = driver_->Offer({{kData, 1, false}, {kData, 2, false}, {kData, 3, true}, {kData, 4, true}}, true);
  const std::optional<DescriptorChain> request = ring_->Pop();
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->readable_bytes(), 3u);
  EXPECT_EQ(request->writable_bytes(), 7u);
  ring_->Push(*request, 0);
  EXPECT_THAT(driver_->TakeUsed(), ElementsAre(Used{id, 0}));
}

TEST_P(RingTest, GoesRoundManyTimes) {
  Make(4);
  for (int i = 0; i < 70'000; ++i) {
    const uint16_t id = i % 3 == 0 ? driver_->Offer({{kData, 5, true}}, true)
                                   : driver_->Offer({{kData, 5, false}, {kData, 5, true}, {kData, 1, true}});
    const std::optional<DescriptorChain> request = ring_->Pop();
    ASSERT_TRUE(request.has_value()) << i;
    ring_->Push(*request, static_cast<uint32_t>(i));
    ASSERT_THAT(driver_->TakeUsed(), ElementsAre(Used{id, static_cast<uint32_t>(i)}));
    ring_->RenewShare();
  }
  EXPECT_EQ(ring_->progress().popped, 70'000u);
  EXPECT_EQ(ring_->progress().pushed, 70'000u);
}

TEST_P(RingTest, TakesAChainAsLongAsTheQueueAndGivesBackOutOfOrder) {
  Make(4);
  driver_->Offer({{kData, 1, false}, {kData, 1, false}, {kData, 1, false}, {kData, 1, true}});
  const std::optional<DescriptorChain> whole = ring_->Pop();
  ASSERT_TRUE(whole.has_value());
  ring_->Push(*whole, 1);
  driver_->TakeUsed();

  const uint16_t first = driver_->Offer({{kData, 1, true}, {kData, 1, true}});
  const uint16_t second = driver_->Offer({{kData, 1, true}});
  const std::optional<DescriptorChain> a = ring_->Pop(), b = ring_->Pop();
  ring_->Push(*b, 1);
  ring_->Push(*a, 2);
  EXPECT_THAT(driver_->TakeUsed(), ElementsAre(Used{second, 1}, Used{first, 2}));
}

TEST_P(RingTest, AsksForANotificationOnlyWhenItFoundNothing) {
  for (const uint64_t feature : {uint64_t{0}, kVirtioFEventIdx}) {
    memory_ = Ram();
    Make(8, feature);
    EXPECT_FALSE(ring_->Pop().has_value());
    driver_->Offer({{kData, 1, true}});
    EXPECT_TRUE(driver_->DeviceWantsNotify(event_idx()));
    ASSERT_TRUE(ring_->Pop().has_value());
    driver_->Offer({{kData, 1, true}});
    EXPECT_FALSE(driver_->DeviceWantsNotify(event_idx())) << "busy";
    ASSERT_TRUE(ring_->Pop().has_value());
    EXPECT_FALSE(ring_->Pop().has_value());
    driver_->Offer({{kData, 1, true}});
    EXPECT_TRUE(driver_->DeviceWantsNotify(event_idx())) << "idle again";
  }
}

TEST_P(RingTest, InterruptsOnceForWhatWasPushedUnlessTheDriverWantsNone) {
  Make(8);
  ring_->Interrupt();
  EXPECT_EQ(events_.interrupts, 0) << "nothing was pushed";
  driver_->Offer({{kData, 1, true}});
  ring_->Push(*ring_->Pop(), 1);
  ring_->Interrupt();
  ring_->Interrupt();
  EXPECT_EQ(events_.interrupts, 1);
  driver_->WantNoInterrupt();
  driver_->Offer({{kData, 1, true}});
  ring_->Push(*ring_->Pop(), 1);
  ring_->Interrupt();
  EXPECT_EQ(events_.interrupts, 1);
}

TEST_P(RingTest, InterruptsWithEventIdxAtTheRequestThatTheDriverNames) {
  Make(4, kVirtioFEventIdx);
  const auto one = [&] {
    driver_->Offer({{kData, 1, true}});
    ring_->Push(*ring_->Pop(), 1);
    ring_->Interrupt();
  };
  one();  // the first look always interrupts
  driver_->TakeUsed();
  for (int round = 0; round < 20; ++round) {
    const int before = events_.interrupts;
    driver_->WantInterruptAfter(1);
    one();
    // A packed queue that has just wrapped around interrupts once too often, which is allowed.
    if (!GetParam()) {
      EXPECT_EQ(events_.interrupts, before) << round;
    }
    one();
    EXPECT_GT(events_.interrupts, before) << round;
    driver_->TakeUsed();
  }
}

TEST_P(RingTest, EndsEarlyWhenItsShareOfTheThreadIsUsedUp) {
  Make(4);
  const auto one = [&] {
    driver_->Offer({{kData, 1, true}});
    const std::optional<DescriptorChain> request = ring_->Pop();
    if (request.has_value()) ring_->Push(*request, 0), driver_->TakeUsed();
    return request.has_value();
  };
  for (uint32_t i = 0; i < Ring::kShare; ++i) ASSERT_TRUE(one());
  EXPECT_FALSE(one());
  EXPECT_TRUE(ring_->ended_early());
  ring_->RenewShare();
  EXPECT_TRUE(ring_->Pop().has_value());
}

TEST_P(RingTest, RefusesAnAddressThatIsNotRamBecauseADescriptorNeverReachesADevice) {
  for (const Buffer bad : {Buffer{0xd0000000, 4, true}, Buffer{kRam - 1, 2, false}, Buffer{~0ull, 2, true}}) {
    Make(8);
    events_.broken.clear();
    driver_->Offer({bad});
    EXPECT_FALSE(ring_->Pop().has_value());
    EXPECT_THAT(events_.broken, ElementsAre(HasSubstr("is not RAM")));
    EXPECT_TRUE(ring_->broken());
    memory_ = Ram();
  }
}

TEST_P(RingTest, RefusesABufferToReadAfterOneToWrite) {
  Make(8);
  driver_->Offer({{kData, 1, true}, {kData, 1, false}});
  EXPECT_FALSE(ring_->Pop().has_value());
  EXPECT_THAT(events_.broken, ElementsAre(HasSubstr("a buffer to read follows one to write")));
}

TEST_P(RingTest, RefusesBuffersWhoseSumReaches4GiB) {
  const std::array ranges = {GuestRange{GuestAddr{0}, 2ull << 30}};
  memory_ = *GuestMemory::Create(ranges);
  Make(8);
  driver_->Offer({{0, 0x7fffffff, true}, {0, 0x7fffffff, true}});
  EXPECT_TRUE(ring_->Pop().has_value());
  driver_->Offer({{0, 0x7fffffff, true}, {0, 0x7fffffff, true}, {0, 2, true}});
  EXPECT_FALSE(ring_->Pop().has_value());
  EXPECT_THAT(events_.broken, ElementsAre(HasSubstr("the limit is 2^32-1")));
}

TEST_P(RingTest, RefusesAnIndirectTableWithoutTheFeature) {
  Make(8, 0);
  driver_->Offer({{kData, 1, true}}, true);
  EXPECT_FALSE(ring_->Pop().has_value());
  EXPECT_THAT(events_.broken, ElementsAre(HasSubstr("INDIRECT without the feature")));
}

TEST_P(RingTest, StopsForGoodAfterABrokenChainAndSaysSoOnce) {
  Make(8);
  driver_->Offer({{kData, 1, true}});
  const std::optional<DescriptorChain> good = ring_->Pop();
  driver_->Offer({{~0ull, 1, true}});
  driver_->Offer({{kData, 1, true}});
  EXPECT_FALSE(ring_->Pop().has_value());
  EXPECT_FALSE(ring_->Pop().has_value());
  ring_->Push(*good, 1);
  ring_->Interrupt();
  EXPECT_THAT(driver_->TakeUsed(), ElementsAre());
  EXPECT_EQ(events_.interrupts, 0);
  EXPECT_EQ(events_.broken.size(), 1u);
}

TEST_P(RingTest, ADisabledRingNeitherReadsNorWrites) {
  Make(8);
  driver_->Offer({{kData, 1, true}});
  driver_->Offer({{kData, 1, true}});
  const std::optional<DescriptorChain> request = ring_->Pop();
  ring_->Disable();
  ring_->Push(*request, 1);
  EXPECT_THAT(driver_->TakeUsed(), ElementsAre());
  EXPECT_FALSE(ring_->Pop().has_value());
}

TEST_P(RingTest, IgnoresARequestThatIsGivenBackTwice) {
  Make(8);
  const uint16_t id = driver_->Offer({{kData, 1, true}});
  const std::optional<DescriptorChain> request = ring_->Pop();
  ring_->Push(*request, 1);
  ring_->Push(*request, 1);
  EXPECT_THAT(driver_->TakeUsed(), ElementsAre(Used{id, 1}));
}

// What must not be set up at all.
std::string Refusal(bool packed, QueueLayout layout) {
  const std::unique_ptr<GuestMemory> memory = Ram();
  Events events;
  const auto ring = Ring::Create({.layout = layout, .features = packed ? kVirtioFRingPacked : 0}, *memory, events);
  return ring.ok() ? "" : std::string(ring.status().message());
}
QueueLayout Layout(uint16_t size, uint64_t desc, uint64_t driver, uint64_t device) {
  return {.size = size, .desc = GuestAddr{desc}, .driver = GuestAddr{driver}, .device = GuestAddr{device}};
}

TEST(RingLayout, IsRefusedIfASizeIsNotOfTheForm) {
  EXPECT_THAT(Refusal(false, Layout(0, 0, 0x1000, 0x2000)), HasSubstr("queue of 0"));
  EXPECT_THAT(Refusal(false, Layout(3, 0, 0x1000, 0x2000)), HasSubstr("power of two"));
  EXPECT_EQ(Refusal(true, Layout(3, 0, 0x1000, 0x2000)), "");
  EXPECT_THAT(Refusal(true, Layout(32769, 0, 0x1000, 0x2000)), HasSubstr("1 to 32768"));
  EXPECT_EQ(Refusal(false, Layout(32768, 0, 0x80000, 0xa0000)), "");
}

TEST(RingLayout, IsRefusedIfAPartIsMisalignedOrReachesPastRam) {
  EXPECT_THAT(Refusal(false, Layout(4, 8, 0x1000, 0x2000)), HasSubstr("descriptors at 0x8; must be a multiple of 16"));
  EXPECT_THAT(Refusal(false, Layout(4, 0, 0x1001, 0x2000)), HasSubstr("available ring"));
  EXPECT_THAT(Refusal(false, Layout(4, 0, 0x1000, 0x2002)), HasSubstr("used ring"));
  EXPECT_THAT(Refusal(true, Layout(4, 0, 0x1002, 0x2000)), HasSubstr("driver event suppression"));
  EXPECT_THAT(Refusal(false, Layout(4, kRam - 48, 0x1000, 0x2000)), HasSubstr("is not RAM"));
  EXPECT_EQ(Refusal(false, Layout(4, kRam - 64, 0x1000, 0x2000)), "");
  EXPECT_THAT(Refusal(false, Layout(4, 0, kRam - 12, 0x2000)), HasSubstr("available ring"));
  EXPECT_EQ(Refusal(false, Layout(4, 0, kRam - 14, 0x2000)), "");
  EXPECT_THAT(Refusal(false, Layout(4, 0, 0x1000, kRam - 36)), HasSubstr("used ring"));
  EXPECT_EQ(Refusal(false, Layout(4, 0, 0x1000, kRam - 40)), "");
  EXPECT_THAT(Refusal(true, Layout(4, ~15ull, 0x1000, 0x2000)), HasSubstr("is not RAM"));
}

// Rules that only one form has.
class SplitRingTest : public testing::Test {
 protected:
  std::string WhyBroken() {
    const bool got = ring_->Pop().has_value();
    return got || events_.broken.empty() ? "" : events_.broken[0];
  }

  std::unique_ptr<GuestMemory> memory_ = Ram();
  Events events_;
  SplitDriver driver_{*memory_, 8};
  std::unique_ptr<Ring> ring_ =
      *Ring::Create({.layout = driver_.layout(), .features = kVirtioFIndirectDesc}, *memory_, events_);
};

TEST_F(SplitRingTest, RefusesAnAvailableIndexThatJumpsPastTheQueue) {
  driver_.avail(1) = 9;
  EXPECT_THAT(WhyBroken(), HasSubstr("available index went from 0 to 9; the queue has 8"));
}
TEST_F(SplitRingTest, RefusesAHeadPastTheQueue) {
  driver_.Publish(8);
  EXPECT_THAT(WhyBroken(), HasSubstr("head 8"));
}
TEST_F(SplitRingTest, RefusesANextPastTheQueue) {
  driver_.desc(0) = {kData, 1, kVirtqDescFNext, 8};
  driver_.Publish(0);
  EXPECT_THAT(WhyBroken(), HasSubstr("next 8"));
}
TEST_F(SplitRingTest, RefusesALoop) {
  driver_.desc(0) = {kData, 1, kVirtqDescFNext, 1};
  driver_.desc(1) = {kData, 1, kVirtqDescFNext, 0};
  driver_.Publish(0);
  EXPECT_THAT(WhyBroken(), HasSubstr("or a loop"));
}
TEST_F(SplitRingTest, RefusesAHeadThatIsInFlightSoRequestsStayBounded) {
  driver_.desc(0) = {kData, 1, kVirtqDescFWrite, 0};
  driver_.Publish(0);
  ASSERT_TRUE(ring_->Pop().has_value());
  driver_.Publish(0);
  EXPECT_THAT(WhyBroken(), HasSubstr("head 0 made available twice"));
}
TEST_F(SplitRingTest, RefusesIndirectWithNext) {
  driver_.desc(0) = {kData, 16, kVirtqDescFIndirect | kVirtqDescFNext, 1};
  driver_.Publish(0);
  EXPECT_THAT(WhyBroken(), HasSubstr("INDIRECT and NEXT"));
}
TEST_F(SplitRingTest, RefusesAnIndirectTableInATable) {
  *reinterpret_cast<VirtqDesc*>(driver_.At(kData)) = {kData, 16, kVirtqDescFIndirect, 0};
  driver_.desc(0) = {kData, 16, kVirtqDescFIndirect, 0};
  driver_.Publish(0);
  EXPECT_THAT(WhyBroken(), HasSubstr("INDIRECT inside"));
}
TEST_F(SplitRingTest, RefusesAnIndirectTableOfAnOddLengthOrTooLong) {
  for (const uint32_t len : {0u, 8u, 17u, 16u * (kMaxIndirectTable + 1), 0xfffffff0u}) {
    events_.broken.clear();
    ring_ = *Ring::Create({.layout = driver_.layout(), .features = kVirtioFIndirectDesc}, *memory_, events_);
    driver_.desc(0) = {kData, len, kVirtqDescFIndirect, 0};
    driver_.avail(1) = 0;
    driver_.Publish(0);
    EXPECT_THAT(WhyBroken(), HasSubstr("indirect table of")) << len;
  }
}
TEST_F(SplitRingTest, RefusesALoopOrANextPastTheEndInAnIndirectTable) {
  VirtqDesc* const table = reinterpret_cast<VirtqDesc*>(driver_.At(kData + 8));
  table[0] = {kData, 1, kVirtqDescFNext, 0};
  driver_.desc(0) = {kData + 8, 32, kVirtqDescFIndirect, 0};
  driver_.Publish(0);
  EXPECT_THAT(WhyBroken(), HasSubstr("or a loop"));
}
TEST_F(SplitRingTest, TakesDescriptorsThatALastIndirectOneFollowsAndATableOfAnyAlignment) {
  const VirtqDesc inside = {kData, 7, kVirtqDescFWrite, 0};
  ASSERT_TRUE(memory_->WriteObject(GuestAddr{kData + 1}, inside).ok());
  driver_.desc(0) = {kData, 5, kVirtqDescFNext, 1};
  driver_.desc(1) = {kData + 1, 16, kVirtqDescFIndirect | kVirtqDescFWrite, 0};
  driver_.Publish(0);
  const std::optional<DescriptorChain> request = ring_->Pop();
  ASSERT_TRUE(request.has_value()) << events_.broken[0];
  EXPECT_EQ(request->readable_bytes(), 5u);
  EXPECT_EQ(request->writable_bytes(), 7u);
}

class PackedRingTest : public testing::Test {
 protected:
  std::unique_ptr<GuestMemory> memory_ = Ram();
  Events events_;
  PackedDriver driver_{*memory_, 5};
  std::unique_ptr<Ring> ring_ =
      *Ring::Create({.layout = driver_.layout(), .features = kVirtioFRingPacked}, *memory_, events_);
};

TEST_F(PackedRingTest, RefusesAChainThatGoesRoundTheRing) {
  for (uint16_t i = 0; i < 5; ++i) driver_.desc(i) = {kData, 1, 0, kVirtqDescFNext | kPvirtqDescFAvail};
  EXPECT_FALSE(ring_->Pop().has_value());
  EXPECT_THAT(events_.broken, ElementsAre(HasSubstr("longer than the 5 descriptors that are not in flight, of 5")));
}
TEST_F(PackedRingTest, RefusesDescriptorsThatAreInFlight) {
  driver_.Offer({{kData, 1, true}, {kData, 1, true}, {kData, 1, true}});
  ASSERT_TRUE(ring_->Pop().has_value());
  driver_.Offer({{kData, 1, true}, {kData, 1, true}, {kData, 1, true}});
  EXPECT_FALSE(ring_->Pop().has_value());
  EXPECT_THAT(events_.broken, ElementsAre(HasSubstr("longer than the 2 descriptors")));
}
TEST_F(PackedRingTest, RefusesABufferIdThatIsInFlight) {
  driver_.desc(0) = {kData, 1, 7, kPvirtqDescFAvail};
  driver_.desc(1) = {kData, 1, 7, kPvirtqDescFAvail};
  ASSERT_TRUE(ring_->Pop().has_value());
  EXPECT_FALSE(ring_->Pop().has_value());
  EXPECT_THAT(events_.broken, ElementsAre(HasSubstr("buffer id 7 made available twice")));
}

}  // namespace
}  // namespace vmm
