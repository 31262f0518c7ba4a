#include "devices/bus.h"

#include <array>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Records each access as "r2+4" or "w1+0=5a". Answers reads with its fill byte.
class NotedDevice final : public Device {
 public:
  explicit NotedDevice(std::string_view name, uint8_t fill = 0) : name_(name), fill_(fill) {}

  std::string_view name() const override { return name_; }
  void Read(uint64_t offset, std::span<uint8_t> data) override {
    notes.push_back(absl::StrFormat("r%d+%d", data.size(), offset));
    std::fill(data.begin(), data.end(), fill_);
  }
  void Write(uint64_t offset, std::span<const uint8_t> data) override {
    std::string note = absl::StrFormat("w%d+%d=", data.size(), offset);
    for (uint8_t byte : data) note += absl::StrFormat("%02x", byte);
    notes.push_back(note);
  }

  std::vector<std::string> notes;

 private:
  std::string_view name_;
  uint8_t fill_;
};

template <size_t N>
std::array<uint8_t, N> Read(const Bus& bus, uint64_t addr) {
  std::array<uint8_t, N> data{};
  bus.Read(addr, data);
  return data;
}

TEST(BusTest, AnAccessReachesItsDeviceAsAnOffset) {
  NotedDevice low("low", 0x11), high("high", 0x22);
  Bus bus;
  ASSERT_TRUE(bus.Add(0x200, 8, &high).ok());
  ASSERT_TRUE(bus.Add(0x100, 8, &low).ok());
  EXPECT_THAT((Read<2>(bus, 0x106)), ElementsAre(0x11, 0x11));
  EXPECT_THAT((Read<1>(bus, 0x200)), ElementsAre(0x22));
  bus.Write(0x204, std::array<uint8_t, 4>{1, 2, 3, 4});
  EXPECT_THAT(low.notes, ElementsAre("r2+6"));
  EXPECT_THAT(high.notes, ElementsAre("r1+0", "w4+4=01020304"));
}

TEST(BusTest, OpenBusReadsAllOnesAndTakesWritesAway) {
  NotedDevice device("device");
  Bus bus;
  EXPECT_THAT((Read<2>(bus, 0)), ElementsAre(0xff, 0xff));
  ASSERT_TRUE(bus.Add(0x100, 8, &device).ok());
  EXPECT_THAT((Read<1>(bus, 0xff)), ElementsAre(0xff));
  EXPECT_THAT((Read<4>(bus, 0x108)), ElementsAre(0xff, 0xff, 0xff, 0xff));
  EXPECT_THAT((Read<1>(bus, ~uint64_t{0})), ElementsAre(0xff));
  bus.Write(0x108, std::array<uint8_t, 1>{1});
  EXPECT_TRUE(device.notes.empty());
}

TEST(BusTest, WhatPassesTheEndIsOpenBusEvenWhereANeighbourFollows) {
  NotedDevice device("device", 0x11), neighbour("neighbour", 0x22);
  Bus bus;
  ASSERT_TRUE(bus.Add(0x100, 2, &device).ok());
  ASSERT_TRUE(bus.Add(0x102, 2, &neighbour).ok());
  EXPECT_THAT((Read<4>(bus, 0x101)), ElementsAre(0x11, 0xff, 0xff, 0xff));
  bus.Write(0x100, std::array<uint8_t, 4>{1, 2, 3, 4});
  EXPECT_THAT(device.notes, ElementsAre("r1+1", "w2+0=0102"));
  EXPECT_TRUE(neighbour.notes.empty());
}

TEST(BusTest, A32BitAccessBeforeADeviceDoesNotReachIt) {
  NotedDevice reset("reset");
  Bus bus;
  ASSERT_TRUE(bus.Add(0xcf9, 1, &reset).ok());
  bus.Write(0xcf8, std::array<uint8_t, 4>{0x00, 0x06, 0x00, 0x80});
  EXPECT_THAT((Read<4>(bus, 0xcf8)), ElementsAre(0xff, 0xff, 0xff, 0xff));
  EXPECT_TRUE(reset.notes.empty());
}

TEST(BusTest, OddLengthsAreCutIntoPowersOfTwo) {
  NotedDevice device("device");
  Bus bus;
  ASSERT_TRUE(bus.Add(0, 64, &device).ok());
  Read<7>(bus, 1);
  Read<16>(bus, 0);
  Read<0>(bus, 0);
  EXPECT_THAT(device.notes, ElementsAre("r4+1", "r2+5", "r1+7", "r8+0", "r8+8"));
}

TEST(BusTest, OverlapsAreRefusedByBothNames) {
  NotedDevice serial("serial"), other("other");
  for (const auto& [start, size] :
       {std::pair<uint64_t, uint64_t>{0x3f8, 8}, {0x3ff, 1}, {0x3f0, 9}, {0, ~uint64_t{0}}}) {
    Bus bus;
    ASSERT_TRUE(bus.Add(0x3f8, 8, &serial).ok());
    const absl::Status status = bus.Add(start, size, &other);
    EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
    EXPECT_THAT(std::string(status.message()), HasSubstr("other"));
    EXPECT_THAT(std::string(status.message()), HasSubstr("serial at 0x3f8..+0x8"));
  }
  Bus bus;
  ASSERT_TRUE(bus.Add(0x3f8, 8, &serial).ok());
  EXPECT_TRUE(bus.Add(0x3f7, 1, &other).ok());
  EXPECT_TRUE(bus.Add(0x400, 1, &other).ok());
}

TEST(BusTest, EmptyAndWrappingRangesAreRefused) {
  NotedDevice device("device");
  Bus bus;
  EXPECT_EQ(bus.Add(0x100, 0, &device).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(bus.Add(~uint64_t{0}, 2, &device).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(bus.Add(~uint64_t{0}, 1, &device).ok());
  EXPECT_THAT((Read<2>(bus, ~uint64_t{0})), ElementsAre(0, 0xff));
}

}  // namespace
}  // namespace vmm
