#include "vmm/flip/memory_flip.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr GuestAddr kLow{0x3000};
constexpr GuestAddr kHigh{4 * kMiB + 0x5000};  // in the second block
constexpr GuestAddr kHole{kMiB / 2};

class MemoryFlipTest : public testing::Test {
 protected:
  static std::unique_ptr<GuestMemory> TwoBlocks() {
    const std::array<GuestRange, 2> ranges{GuestRange{GuestAddr{0}, kMiB}, GuestRange{GuestAddr{4 * kMiB}, kMiB}};
    return *GuestMemory::Create(ranges);
  }

  // As a vCPU writes: through the mapping.
  void Poke(GuestAddr addr, uint64_t value) { ASSERT_TRUE(memory_->WriteObject(addr, value).ok()); }
  uint64_t Peek(GuestAddr addr) const { return *running_.ReadObject<uint64_t>(addr); }

  uint64_t AllocatedBytes() const {
    struct stat st = {};
    EXPECT_EQ(fstat(memory_->fd(), &st), 0);
    return static_cast<uint64_t>(st.st_blocks) * 512;
  }

  std::unique_ptr<GuestMemory> memory_ = TwoBlocks();
  const RunningMemory running_{*memory_};
  std::unique_ptr<MemoryFlip> flip_ = *MemoryFlip::Create(*memory_);
};

TEST_F(MemoryFlipTest, TheFrozenBytesStayAndTheGuestSeesItsOwn) {
  Poke(kLow, 1);
  Poke(kHigh, 2);
  ASSERT_TRUE(flip_->Open().ok());
  const auto frozen = FrozenMemory::Create(*memory_);
  ASSERT_TRUE(frozen.ok());
  Poke(kLow, 11);
  Poke(kHigh, 12);
  Poke(kHole, 13);
  EXPECT_EQ(*(*frozen)->ReadObject<uint64_t>(kLow), 1u);
  EXPECT_EQ(*(*frozen)->ReadObject<uint64_t>(kHigh), 2u);
  EXPECT_EQ(*(*frozen)->ReadObject<uint64_t>(kHole), 0u);
  EXPECT_EQ(Peek(kLow), 11u);
  EXPECT_EQ(Peek(kHigh), 12u);
  EXPECT_EQ(Peek(kHole), 13u);
}

TEST_F(MemoryFlipTest, ClosingLosesNothingThatWasWrittenMeanwhile) {
  Poke(kLow, 1);
  ASSERT_TRUE(flip_->Open().ok());
  Poke(kLow, 11);
  Poke(kHigh, 12);
  const absl::StatusOr<uint64_t> merged = flip_->Close();
  ASSERT_TRUE(merged.ok()) << merged.status();
  EXPECT_EQ(*merged, 2 * kPageSize);
  EXPECT_FALSE(flip_->is_open());
  EXPECT_EQ(Peek(kLow), 11u);
  EXPECT_EQ(Peek(kHigh), 12u);
  uint64_t in_file = 0;
  ASSERT_EQ(pread(memory_->fd(), &in_file, sizeof(in_file), kLow.value), 8);
  EXPECT_EQ(in_file, 11u) << "the memfd is the RAM again";
  Poke(kLow, 21);
  ASSERT_EQ(pread(memory_->fd(), &in_file, sizeof(in_file), kLow.value), 8);
  EXPECT_EQ(in_file, 21u) << "and shared";
}

TEST_F(MemoryFlipTest, HostAddressesStay) {
  Poke(kLow, 1);
  const uint8_t* const before = memory_->Span({kLow, 8})->data();
  ASSERT_TRUE(flip_->Open().ok());
  EXPECT_EQ(memory_->Span({kLow, 8})->data(), before);
  ASSERT_TRUE(flip_->Close().ok());
  EXPECT_EQ(memory_->Span({kLow, 8})->data(), before);
}

TEST_F(MemoryFlipTest, ReadingAHoleAllocatesNothingWhileTheFlipIsOpen) {
  Poke(kLow, 1);
  ASSERT_TRUE(flip_->Open().ok());
  const uint64_t before = AllocatedBytes();
  std::array<uint8_t, 64 * 1024> bytes;
  ASSERT_TRUE(running_.Read(kHole, bytes).ok());
  std::string around(2 * kPageSize, 'x');  // a hole, the page at kLow, and a hole again
  ASSERT_TRUE(
      memory_->Read(GuestAddr{kLow.value - kPageSize / 2}, {reinterpret_cast<uint8_t*>(around.data()), around.size()})
          .ok());
  EXPECT_EQ(AllocatedBytes(), before);
  EXPECT_EQ(around[kPageSize / 2], 1);
  EXPECT_EQ(around.find_first_not_of('\0', kPageSize / 2 + 1), std::string::npos);
  EXPECT_EQ(around.find_first_not_of('\0'), kPageSize / 2);
}

TEST_F(MemoryFlipTest, TheFrozenViewCoversWhatWasTouchedBefore) {
  Poke(kLow, 1);
  ASSERT_TRUE(flip_->Open().ok());
  const auto frozen = *FrozenMemory::Create(*memory_);
  const std::vector<GuestRange> extents = *frozen->DataExtents();
  ASSERT_EQ(extents.size(), 1u);
  EXPECT_TRUE(extents[0].Contains({kLow, kPageSize}));
  EXPECT_EQ(frozen->Ranges().size(), 2u);
}

TEST_F(MemoryFlipTest, ACancelledViewIsNotReadOn) {
  ASSERT_TRUE(flip_->Open().ok());
  const auto frozen = *FrozenMemory::Create(*memory_);
  frozen->Cancel();
  EXPECT_EQ(frozen->ReadObject<uint64_t>(kLow).status().code(), absl::StatusCode::kCancelled);
}

TEST_F(MemoryFlipTest, AnAddressThatIsNoRamIsAStatus) {
  ASSERT_TRUE(flip_->Open().ok());
  const auto frozen = *FrozenMemory::Create(*memory_);
  for (const GuestAddr bad : {GuestAddr{kMiB}, GuestAddr{kMiB - 4}, GuestAddr{~0ull - 3}}) {
    EXPECT_EQ(frozen->ReadObject<uint64_t>(bad).status().code(), absl::StatusCode::kOutOfRange);
    EXPECT_EQ(running_.ReadObject<uint64_t>(bad).status().code(), absl::StatusCode::kOutOfRange);
  }
}

TEST_F(MemoryFlipTest, OneFlipAtATime) {
  ASSERT_TRUE(flip_->Open().ok());
  EXPECT_EQ(flip_->Open().code(), absl::StatusCode::kFailedPrecondition);
}

// The host may swap a private page out: it is then not present, and still not to be lost.
TEST_F(MemoryFlipTest, PagesThatTheHostReclaimedAreMergedToo) {
  ASSERT_TRUE(flip_->Open().ok());
  Poke(kLow, 5);
  madvise(memory_->Span({GuestAddr{0}, kMiB})->data(), kMiB, MADV_PAGEOUT);  // a wish: without swap nothing happens
  ASSERT_TRUE(flip_->Close().ok());
  EXPECT_EQ(Peek(kLow), 5u);
}

TEST_F(MemoryFlipTest, TheRamStaysOutOfCoreDumpsOfThisProcess) {
  const auto dont_dump = [&] {
    std::ifstream smaps("/proc/self/smaps");
    int count = 0;
    bool ram = false;
    for (std::string line; std::getline(smaps, line);) {
      if (line.find('-') < line.find(' ') && line.find(':') > line.find(' ')) ram = line.find("guest-ram") != line.npos;
      if (ram && line.starts_with("VmFlags:") && line.find(" dd") != line.npos) ++count;
    }
    return count;
  };
  const int before = dont_dump();
  ASSERT_GE(before, 2);
  ASSERT_TRUE(flip_->Open().ok());
  EXPECT_EQ(dont_dump(), before);
  ASSERT_TRUE(flip_->Close().ok());
  EXPECT_EQ(dont_dump(), before);
}

// Two threads each count on two pages of their own, one count after the other. A lock stops them for each change of the
// mapping, as a pause stops vCPUs.
TEST_F(MemoryFlipTest, CountersAreNeverTornAndNeverLoseACount) {
  constexpr int kRounds = 200;
  std::array<std::mutex, 2> running;
  std::atomic<bool> end = false;
  std::array<uint64_t, 2> counted{};
  const auto place = [](size_t writer, uint64_t which) { return GuestAddr{(writer * 16 + which * 8) * kPageSize}; };
  std::array<std::thread, 2> writers;
  for (size_t w = 0; w < writers.size(); ++w) {
    writers[w] = std::thread([&, w] {
      while (!end) {
        {
          const std::lock_guard lock(running[w]);
          for (int i = 0; i < 100; ++i) {
            ++counted[w];
            Poke(place(w, 0), counted[w]);
            Poke(place(w, 1), counted[w]);
          }
        }
        std::this_thread::yield();
      }
    });
  }
  for (int round = 0; round < kRounds; ++round) {
    {
      const std::scoped_lock stopped(running[0], running[1]);
      ASSERT_TRUE(flip_->Open().ok());
    }
    const auto frozen = *FrozenMemory::Create(*memory_);
    std::array<uint64_t, 2> seen{};
    for (int look = 0; look < 3; ++look) {
      for (size_t w = 0; w < 2; ++w) {
        const uint64_t first = *frozen->ReadObject<uint64_t>(place(w, 0));
        ASSERT_EQ(first, *frozen->ReadObject<uint64_t>(place(w, 1))) << "torn in round " << round;
        if (look > 0) {
          ASSERT_EQ(first, seen[w]) << "the frozen view moved in round " << round;
        }
        seen[w] = first;
      }
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    const std::scoped_lock stopped(running[0], running[1]);
    ASSERT_TRUE(flip_->Close().ok());
    for (size_t w = 0; w < 2; ++w) {
      ASSERT_EQ(Peek(place(w, 0)), counted[w]) << "a count was lost in round " << round;
      ASSERT_EQ(Peek(place(w, 1)), counted[w]);
    }
  }
  end = true;
  for (std::thread& writer : writers) writer.join();
  EXPECT_GT(counted[0], uint64_t{kRounds});
}

}  // namespace
}  // namespace vmm
