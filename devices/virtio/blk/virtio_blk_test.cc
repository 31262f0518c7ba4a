#include "devices/virtio/blk/virtio_blk.h"

#include <atomic>
#include <cstring>
#include <thread>

#include "base/bytes.h"
#include "devices/virtio/blk/testing/test_disk.h"
#include "devices/virtio/testing/fake_queue.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr uint64_t kAllFeatures = kVirtioBlkFFlush | kVirtioBlkFDiscard | kVirtioBlkFWriteZeroes;

// A driver with one disk of 64 sectors; sector n is full of bytes 'A' + n.
class Driver {
 public:
  explicit Driver(uint64_t features = kAllFeatures, bool read_only = false) {
    auto storage = std::make_unique<TestDisk>(64, read_only);
    disk = storage.get();
    device = std::make_unique<VirtioBlk>(std::move(storage), "disk0",
                                         [this](std::string_view line) { log.emplace_back(line); });
    Virtqueue* const queues[] = {&queue};
    EXPECT_TRUE(device->Activate(features, queues, loop).ok());
  }

  // Does one request; returns its status byte.
  uint8_t Do(uint32_t type, uint64_t sector, std::string out = "", std::string* in = nullptr) {
    VirtioBlkReq header = {.type = type, .reserved = 0, .sector = sector};
    uint8_t status = 0xee;
    std::vector<iovec> writable;
    if (in != nullptr) writable.push_back({in->data(), in->size()});
    writable.push_back({&status, 1});
    queue.Offer({{&header, sizeof header}, {out.data(), out.size()}}, std::move(writable));
    device->OnQueue(0);
    return status;
  }

  uint8_t DoRanges(uint32_t type, std::vector<VirtioBlkDiscardWriteZeroes> ranges) {
    return Do(type, 0, std::string(reinterpret_cast<const char*>(ranges.data()), ranges.size() * sizeof ranges[0]));
  }

  class NoLoop final : public IoLoop {
   public:
    void Watch(int, uint32_t, std::function<void(uint32_t)>) override {}
    void Unwatch(int) override {}
    void After(absl::Duration, std::function<void()>) override {}
  };

  NoLoop loop;
  FakeQueue queue;
  std::vector<std::string> log;
  TestDisk* disk;
  std::unique_ptr<VirtioBlk> device;
};

TEST(VirtioBlk, ReadsSectorsIntoTheDriversBuffer) {
  Driver driver;
  std::string in(1024, '?');
  EXPECT_EQ(driver.Do(kVirtioBlkTIn, 2, "", &in), kVirtioBlkSOk);
  EXPECT_EQ(in, std::string(512, 'C') + std::string(512, 'D'));
  EXPECT_EQ(driver.queue.done().at(0).written, 1025u);
  EXPECT_EQ(driver.queue.interrupts(), 1);
}

TEST(VirtioBlk, WritesSectorsFromAnyCutOfBuffers) {
  Driver driver;
  VirtioBlkReq header = {.type = kVirtioBlkTOut, .reserved = 0, .sector = 3};
  std::string bytes = std::string(reinterpret_cast<const char*>(&header), sizeof header) + std::string(512, 'x');
  uint8_t status = 0xee;
  // The header is cut, and its last bytes share a buffer with data.
  driver.queue.Offer({{bytes.data(), 5}, {bytes.data() + 5, 20}, {bytes.data() + 25, bytes.size() - 25}},
                     {{&status, 1}});
  driver.device->OnQueue(0);
  EXPECT_EQ(status, kVirtioBlkSOk);
  EXPECT_EQ(driver.disk->bytes.substr(2 * 512, 3 * 512),
            std::string(512, 'C') + std::string(512, 'x') + std::string(512, 'E'));
  EXPECT_EQ(driver.queue.done().at(0).written, 1u);
}

TEST(VirtioBlk, WritesGoThroughUnlessTheDriverFlushes) {
  Driver flushes;
  EXPECT_EQ(flushes.Do(kVirtioBlkTOut, 0, std::string(512, 'x')), kVirtioBlkSOk);
  EXPECT_EQ(flushes.disk->flushes, 0);
  EXPECT_EQ(flushes.Do(kVirtioBlkTFlush, 0), kVirtioBlkSOk);
  EXPECT_EQ(flushes.disk->flushes, 1);

  Driver trusts(kVirtioBlkFDiscard | kVirtioBlkFWriteZeroes);
  EXPECT_EQ(trusts.Do(kVirtioBlkTOut, 0, std::string(512, 'x')), kVirtioBlkSOk);
  EXPECT_EQ(trusts.disk->flushes, 1);
  EXPECT_EQ(trusts.DoRanges(kVirtioBlkTWriteZeroes, {{0, 8, 0}}), kVirtioBlkSOk);
  EXPECT_EQ(trusts.disk->flushes, 2);
}

TEST(VirtioBlk, AReadOnlyDiskIsNeverWrittenWhateverWasNegotiated) {
  Driver driver(kAllFeatures, true);
  EXPECT_NE(driver.device->features() & kVirtioBlkFRo, 0u);
  EXPECT_EQ(driver.device->features() & (kVirtioBlkFDiscard | kVirtioBlkFWriteZeroes), 0u);
  EXPECT_EQ(driver.Do(kVirtioBlkTOut, 0, std::string(512, 'x')), kVirtioBlkSIoErr);
  EXPECT_EQ(driver.DoRanges(kVirtioBlkTDiscard, {{0, 8, 0}}), kVirtioBlkSIoErr);
  EXPECT_EQ(driver.DoRanges(kVirtioBlkTWriteZeroes, {{0, 8, 0}}), kVirtioBlkSIoErr);
  EXPECT_EQ(driver.disk->changes, 0);
  std::string in(512, '?');
  EXPECT_EQ(driver.Do(kVirtioBlkTIn, 0, "", &in), kVirtioBlkSOk);
}

TEST(VirtioBlk, RequestsPastTheEndOrNotOfSectorsAreErrors) {
  Driver driver;
  std::string sector(512, '?'), two(1024, '?'), odd(513, '?');
  EXPECT_EQ(driver.Do(kVirtioBlkTIn, 63, "", &sector), kVirtioBlkSOk);
  EXPECT_EQ(driver.Do(kVirtioBlkTIn, 64, "", &sector), kVirtioBlkSIoErr);
  EXPECT_EQ(driver.Do(kVirtioBlkTIn, 63, "", &two), kVirtioBlkSIoErr);
  EXPECT_EQ(driver.Do(kVirtioBlkTIn, ~uint64_t{0}, "", &sector), kVirtioBlkSIoErr);
  EXPECT_EQ(driver.Do(kVirtioBlkTIn, uint64_t{1} << 55, "", &sector), kVirtioBlkSIoErr) << "times 512 it is 0";
  EXPECT_EQ(driver.Do(kVirtioBlkTIn, 0, "", &odd), kVirtioBlkSIoErr);
  EXPECT_EQ(odd, std::string(513, 0)) << "a failed read leaves no old bytes";
  EXPECT_EQ(driver.Do(kVirtioBlkTOut, 64, sector), kVirtioBlkSIoErr);
  EXPECT_EQ(driver.Do(kVirtioBlkTOut, 0, odd), kVirtioBlkSIoErr);
  EXPECT_EQ(driver.disk->changes, 0);
}

TEST(VirtioBlk, ARequestWithoutRoomForItsStatusBreaksTheQueue) {
  Driver driver;
  VirtioBlkReq header = {.type = kVirtioBlkTFlush, .reserved = 0, .sector = 0};
  driver.queue.Offer({{&header, sizeof header}}, {});
  driver.device->OnQueue(0);
  EXPECT_TRUE(absl::IsInvalidArgument(driver.queue.why_broken()));
  EXPECT_EQ(driver.disk->flushes, 0);
}

TEST(VirtioBlk, AShortHeaderIsAnErrorAndTheQueueGoesOn) {
  Driver driver;
  uint8_t header[15] = {}, status = 0xee;
  driver.queue.Offer({{header, sizeof header}}, {{&status, 1}});
  driver.device->OnQueue(0);
  EXPECT_EQ(status, kVirtioBlkSIoErr);
  EXPECT_EQ(driver.Do(kVirtioBlkTFlush, 0), kVirtioBlkSOk);
}

TEST(VirtioBlk, UnknownAndUnnegotiatedTypesAreUnsupported) {
  Driver driver(kVirtioBlkFFlush);
  EXPECT_EQ(driver.Do(2, 0), kVirtioBlkSUnsupp);
  EXPECT_EQ(driver.Do(0xffffffff, 0), kVirtioBlkSUnsupp);
  EXPECT_EQ(driver.DoRanges(kVirtioBlkTDiscard, {{0, 8, 0}}), kVirtioBlkSUnsupp);
}

TEST(VirtioBlk, GetIdIsTwentyBytesAtMost) {
  Driver driver;
  std::string in(20, '?'), small(3, '?'), large(30, '?');
  EXPECT_EQ(driver.Do(kVirtioBlkTGetId, 0, "", &in), kVirtioBlkSOk);
  EXPECT_EQ(in, std::string("disk0") + std::string(15, 0));
  EXPECT_EQ(driver.Do(kVirtioBlkTGetId, 0, "", &small), kVirtioBlkSOk);
  EXPECT_EQ(small, "dis");
  EXPECT_EQ(driver.Do(kVirtioBlkTGetId, 0, "", &large), kVirtioBlkSOk);
  EXPECT_EQ(large, std::string("disk0") + std::string(25, 0));
}

TEST(VirtioBlk, DiscardAndWriteZeroesAreJudgedAsAWhole) {
  Driver driver;
  EXPECT_EQ(driver.DoRanges(kVirtioBlkTWriteZeroes, {{1, 1, 0}, {3, 2, kVirtioBlkUnmap}}), kVirtioBlkSOk);
  EXPECT_EQ(driver.disk->bytes.substr(512, 512), std::string(512, 0));
  EXPECT_EQ(driver.disk->bytes.substr(1024, 512), std::string(512, 'C'));
  EXPECT_EQ(driver.disk->bytes.substr(1536, 1024), std::string(1024, 0));
  EXPECT_EQ(driver.DoRanges(kVirtioBlkTDiscard, {{8, 8, 0}}), kVirtioBlkSOk);
  const int changes = driver.disk->changes;

  EXPECT_EQ(driver.DoRanges(kVirtioBlkTWriteZeroes, {{0, 1, 0}, {64, 1, 0}}), kVirtioBlkSIoErr)
      << "second off the disk";
  EXPECT_EQ(driver.DoRanges(kVirtioBlkTWriteZeroes, {{0, 1, 0}, {0, 1, 2}}), kVirtioBlkSUnsupp) << "reserved flag";
  EXPECT_EQ(driver.DoRanges(kVirtioBlkTDiscard, {{0, 1, kVirtioBlkUnmap}}), kVirtioBlkSUnsupp);
  EXPECT_EQ(driver.DoRanges(kVirtioBlkTDiscard, {{0, 0xffffffff, 0}}), kVirtioBlkSIoErr);
  EXPECT_EQ(driver.DoRanges(kVirtioBlkTDiscard, std::vector<VirtioBlkDiscardWriteZeroes>(17)), kVirtioBlkSIoErr);
  EXPECT_EQ(driver.Do(kVirtioBlkTDiscard, 0, std::string(15, 0)), kVirtioBlkSIoErr);
  EXPECT_EQ(driver.Do(kVirtioBlkTDiscard, 0), kVirtioBlkSIoErr);
  EXPECT_EQ(driver.disk->changes, changes);
}

TEST(VirtioBlk, ErrorsOfTheHostReachTheGuestAndTheLogHearsEachKindOnce) {
  Driver driver;
  std::string in(512, '?');
  driver.disk->fails = absl::ResourceExhaustedError("write at offset 0: No space left on device");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(driver.Do(kVirtioBlkTOut, 5, in), kVirtioBlkSIoErr);
  EXPECT_EQ(driver.log.size(), 1u);
  EXPECT_NE(driver.log.at(0).find("disk disk0: write at sector 5 failed: write at offset 0: No space left"),
            std::string::npos)
      << driver.log.at(0);
  driver.disk->fails = absl::DataLossError("Input/output error");
  EXPECT_EQ(driver.Do(kVirtioBlkTOut, 5, in), kVirtioBlkSIoErr);
  EXPECT_EQ(driver.Do(kVirtioBlkTIn, 5, "", &in), kVirtioBlkSIoErr);
  EXPECT_EQ(in, std::string(512, 0));
  EXPECT_EQ(driver.Do(kVirtioBlkTFlush, 0), kVirtioBlkSIoErr);
  EXPECT_EQ(driver.log.size(), 4u);
  driver.disk->fails = absl::OkStatus();
  EXPECT_EQ(driver.Do(kVirtioBlkTOut, 5, in), kVirtioBlkSOk);
}

TEST(VirtioBlk, ALongBatchInterruptsBeforeItsEnd) {
  Driver driver;
  VirtioBlkReq header = {.type = kVirtioBlkTIn, .reserved = 0, .sector = 0};
  std::string in(64 * 512, '?');
  uint8_t status;
  for (int i = 0; i < 32; ++i) driver.queue.Offer({{&header, sizeof header}}, {{in.data(), in.size()}, {&status, 1}});
  driver.device->OnQueue(0);
  EXPECT_EQ(driver.queue.done().size(), 32u);
  EXPECT_GE(driver.queue.interrupts(), 4);
  EXPECT_LE(driver.queue.interrupts(), 6);
}

TEST(VirtioBlk, ConfigSaysSizeAndLimitsAndReadsZeroPastItsEnd) {
  Driver driver;
  VirtioBlkConfig config = {};
  driver.device->ReadConfig(0, WritableBytesOf(config));
  EXPECT_EQ(config.capacity, 64u);
  EXPECT_EQ(config.seg_max, VirtioBlk::kSegMax);
  EXPECT_EQ(config.blk_size, 512u);
  EXPECT_EQ(config.max_discard_seg, VirtioBlk::kMaxRanges);
  uint8_t one = 0xee;
  driver.device->ReadConfig(0, {&one, 1});
  EXPECT_EQ(one, 64);
  for (const uint64_t offset : {uint64_t{64}, uint64_t{4095}, ~uint64_t{0}}) {
    one = 0xee;
    driver.device->ReadConfig(offset, {&one, 1});
    EXPECT_EQ(one, 0) << offset;
  }
}

TEST(VirtioBlk, AReportNamesTheRequestThatTheDiskHasNotAnswered) {
  Driver driver;
  std::vector<RequestInFlight> seen;
  driver.disk->during = [&] { seen = driver.device->InFlight(); };
  std::string in(4096, '?');
  EXPECT_EQ(driver.Do(kVirtioBlkTIn, 7, "", &in), kVirtioBlkSOk);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].words, "read sector 7, 8 sectors");
  EXPECT_TRUE(driver.device->InFlight().empty());
}

TEST(VirtioBlk, AnotherThreadMayReadConfigAndAskWhatIsInFlight) {
  Driver driver;
  std::atomic<bool> stop = false;
  std::thread vcpu([&] {
    uint64_t capacity;
    while (!stop) {
      driver.device->ReadConfig(0, WritableBytesOf(capacity));
      EXPECT_EQ(capacity, 64u);
      driver.device->InFlight();
    }
  });
  std::string in(512, '?');
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(driver.Do(kVirtioBlkTIn, 7, "", &in), kVirtioBlkSOk);
  stop = true;
  vcpu.join();
}

TEST(VirtioBlk, AfterAResetItDoesNothingUntilTheNextDriver) {
  Driver driver;
  driver.device->Reset();
  driver.device->OnQueue(0);
  Virtqueue* const none[] = {nullptr};
  EXPECT_TRUE(driver.device->Activate(0, none, driver.loop).ok());
  driver.device->OnQueue(0);
  EXPECT_TRUE(driver.queue.done().empty());
}

}  // namespace
}  // namespace vmm
