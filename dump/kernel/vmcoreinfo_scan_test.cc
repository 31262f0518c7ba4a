#include "dump/kernel/vmcoreinfo_scan.h"

#include <vector>

#include "base/guest_memory.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr uint64_t kMemory = 32 << 20;

std::string Text(std::string_view release) {
  std::string text = "OSRELEASE=" + std::string(release) + "\n";
  text.resize(200, '#');
  return text;
}

// Guest RAM that does not lend its bytes, like the RAM in a file on disk.
class UnlentMemory final : public PhysicalMemory {
 public:
  explicit UnlentMemory(const PhysicalMemory& memory) : memory_(memory) {}
  std::vector<GuestRange> Ranges() const override { return memory_.Ranges(); }
  absl::StatusOr<std::vector<GuestRange>> DataExtents() const override { return memory_.DataExtents(); }
  absl::Status Read(GuestAddr addr, std::span<uint8_t> out) const override { return memory_.Read(addr, out); }

 private:
  const PhysicalMemory& memory_;
};

class VmcoreInfoScanTest : public ::testing::Test {
 protected:
  VmcoreInfoScanTest() {
    const GuestRange ranges[] = {{GuestAddr{0}, kMemory}};
    memory_ = *GuestMemory::Create(ranges);
  }

  void Put(uint64_t at, std::string_view bytes) {
    ASSERT_TRUE(memory_->Write(GuestAddr{at}, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}).ok());
  }

  void PutNote(uint64_t at, const std::string& text, uint32_t size, uint32_t name_size = 11, uint32_t type = 0) {
    const uint32_t header[] = {name_size, size, type};
    Put(at, {reinterpret_cast<const char*>(header), sizeof(header)});
    Put(at + 12, std::string_view("VMCOREINFO\0\0", 12));
    Put(at + 24, text);
  }

  std::vector<std::string> Releases(const PhysicalMemory& memory) {
    std::vector<std::string> releases;
    const auto found = ScanForVmcoreInfo(memory, [&](GuestAddr, VmcoreInfo info) {
      releases.emplace_back(info.release());
      return false;
    });
    EXPECT_TRUE(found.ok() && !*found);
    return releases;
  }
  std::vector<std::string> Releases() { return Releases(*memory_); }

  std::unique_ptr<GuestMemory> memory_;
};

TEST_F(VmcoreInfoScanTest, ANoteAtThePagesStartIsFoundByteForByte) {
  PutNote(0x11c6000, Text("6.1.0"), 200);
  GuestAddr where;
  std::string text;
  const auto found = ScanForVmcoreInfo(*memory_, [&](GuestAddr at, VmcoreInfo info) {
    where = at;
    text = info.text();
    return true;
  });
  ASSERT_TRUE(found.ok() && *found);
  EXPECT_EQ(where, GuestAddr{0x11c6000});
  EXPECT_EQ(text, Text("6.1.0"));
}

TEST_F(VmcoreInfoScanTest, ATextLongerThanItsPageIsFoundWhole) {
  std::string text = Text("6.1.0");
  text.resize(9000, 'x');
  PutNote(0x3000, text, 9000);
  std::string seen;
  ASSERT_TRUE(ScanForVmcoreInfo(*memory_, [&](GuestAddr, VmcoreInfo info) {
                seen = info.text();
                return true;
              }).ok());
  EXPECT_EQ(seen, text);
}

TEST_F(VmcoreInfoScanTest, MemoryThatDoesNotLendItsBytesIsSearchedToo) {
  PutNote(0x5000, Text("one"), 200);
  PutNote(0x1fff000, Text("two"), 200);
  EXPECT_EQ(Releases(UnlentMemory(*memory_)), (std::vector<std::string>{"one", "two"}));
}

TEST_F(VmcoreInfoScanTest, EachCandidateIsOfferedInAscendingOrder) {
  PutNote(0x9000, Text("second"), 200);
  PutNote(0x3000, Text("first"), 200);
  EXPECT_EQ(Releases(), (std::vector<std::string>{"first", "second"}));
}

TEST_F(VmcoreInfoScanTest, ABareTextAtAPagesStartIsTheSecondChoice) {
  Put(0x3000, Text("bare"));
  PutNote(0x9000, Text("note"), 200);
  EXPECT_EQ(Releases(), (std::vector<std::string>{"note", "bare"}));
}

TEST_F(VmcoreInfoScanTest, ABareTextEndsAtItsNul) {
  Put(0x3000, Text("bare"));
  std::string seen;
  ASSERT_TRUE(ScanForVmcoreInfo(*memory_, [&](GuestAddr, VmcoreInfo info) {
                seen = info.text();
                return true;
              }).ok());
  EXPECT_EQ(seen, Text("bare"));
}

// The releases of the notes at any multiple of 4 in [1 MiB, 17 MiB).
std::vector<std::string> ReleasesInImage(const PhysicalMemory& memory) {
  std::vector<std::string> releases;
  const GuestRange image{GuestAddr{1 << 20}, 16 << 20};
  const auto found = ScanImageForVmcoreInfo(memory, image, [&](GuestAddr, VmcoreInfo info) {
    releases.emplace_back(info.release());
    return false;
  });
  EXPECT_TRUE(found.ok() && !*found);
  return releases;
}

TEST_F(VmcoreInfoScanTest, ANoteAmongAnOldKernelsDataIsFoundInItsImage) {
  PutNote(0x101f04, Text("old"), 200);
  PutNote((2 << 20) - 16, Text("across-a-chunk"), 200);
  PutNote(0x1f04, Text("before-the-image"), 200);
  PutNote(0x1800f04, Text("behind-the-image"), 200);
  EXPECT_EQ(ReleasesInImage(*memory_), (std::vector<std::string>{"old", "across-a-chunk"}));
  EXPECT_EQ(ReleasesInImage(UnlentMemory(*memory_)), ReleasesInImage(*memory_));
}

TEST_F(VmcoreInfoScanTest, ANoteAtAPagesStartIsNotOfferedAgainForTheImage) {
  PutNote(0x200000, Text("page"), 200);
  EXPECT_TRUE(ReleasesInImage(*memory_).empty());
}

TEST_F(VmcoreInfoScanTest, AnImageFullOfNamesDoesNotKeepUsForever) {
  for (uint64_t at = 1 << 20; at < 17 << 20; at += 12) Put(at, std::string_view("VMCOREINFO\0\0", 12));
  PutNote((16 << 20) + 4, Text("too-late"), 200);
  EXPECT_TRUE(ReleasesInImage(*memory_).empty());
}

TEST_F(VmcoreInfoScanTest, WhatIsNoNoteIsPassedOver) {
  PutNote(0x1010, Text("unaligned"), 200);
  PutNote(0x3000, Text("too-short"), 63);
  PutNote(0x5000, Text("too-long"), kMaxVmcoreInfo + 1);
  PutNote(0x7000, Text("wrong-namesz"), 200, 10);
  PutNote(0x9000, Text("wrong-type"), 200, 11, 1);
  PutNote(0xb000, "PAGESIZE=4096\n", 200);
  PutNote(0xd000, Text("bad release"), 200);
  PutNote(kMemory - 0x1000, Text("past-the-end"), 8192);
  EXPECT_TRUE(Releases().empty());
}

TEST_F(VmcoreInfoScanTest, UntouchedMemoryStaysUntouched) {
  PutNote(0x1000000, Text("6.1.0"), 200);
  const auto before = *memory_->DataExtents();
  EXPECT_EQ(Releases().size(), 1u);
  EXPECT_EQ(*memory_->DataExtents(), before);
}

TEST_F(VmcoreInfoScanTest, AGuestFullOfCandidatesDoesNotKeepUsForever) {
  constexpr uint64_t kLimit = kCandidateBudget / kMinCandidate;
  const GuestRange ranges[] = {{GuestAddr{0}, (kLimit + 100) * kPageSize}};
  memory_ = *GuestMemory::Create(ranges);
  for (uint64_t page = 0; page < kLimit + 100; ++page) PutNote(page * kPageSize, Text("fake"), 200);
  EXPECT_EQ(Releases().size(), kLimit);
}

}  // namespace
}  // namespace vmm
