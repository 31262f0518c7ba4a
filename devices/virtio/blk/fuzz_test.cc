// Requests at random, mostly close to valid, compared with a model of the disk. VIRTIO_FUZZ_STEPS=10000000 in the
// environment makes it as long as you like.
#include <algorithm>
#include <cstdlib>
#include <random>

#include "devices/virtio/blk/testing/test_disk.h"
#include "devices/virtio/blk/virtio_blk.h"
#include "devices/virtio/testing/fake_queue.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr uint64_t kSectors = 64;

class NoLoop final : public IoLoop {
 public:
  void Watch(int, uint32_t, std::function<void(uint32_t)>) override {}
  void Unwatch(int) override {}
  void After(absl::Duration, std::function<void()>) override {}
};

int Steps(int normal) {
  const char* const steps = std::getenv("VIRTIO_FUZZ_STEPS");
  return steps == nullptr ? normal : std::atoi(steps);
}

class Guest {
 public:
  explicit Guest(uint32_t seed) : random_(seed) {}

  uint64_t Below(uint64_t bound) { return random_() % bound; }

  uint32_t Type() {
    constexpr uint32_t kTypes[] = {kVirtioBlkTIn,    kVirtioBlkTIn,      kVirtioBlkTOut,         kVirtioBlkTOut,
                                   kVirtioBlkTFlush, kVirtioBlkTDiscard, kVirtioBlkTWriteZeroes, kVirtioBlkTGetId};
    return Below(32) == 0 ? static_cast<uint32_t>(random_()) : kTypes[Below(std::size(kTypes))];
  }
  uint64_t Sector() {
    switch (Below(8)) {
      case 0: return random_();
      case 1: return (uint64_t{1} << 55) + Below(kSectors);
      default: return Below(kSectors + 2);
    }
  }
  uint64_t Size() { return Below(4) == 0 ? Below(3000) : 512 * Below(6); }
  std::string Bytes(uint64_t size) {
    std::string bytes(size, 0);
    for (char& byte : bytes) byte = static_cast<char>(random_());
    return bytes;
  }
  // `bytes` cut into up to four buffers, some empty.
  std::vector<iovec> Cut(std::string& bytes) {
    std::vector<iovec> parts;
    size_t at = 0;
    for (uint64_t n = Below(4); n > 0; --n) {
      const size_t part = Below(bytes.size() - at + 1);
      parts.push_back({bytes.data() + at, part});
      at += part;
    }
    parts.push_back({bytes.data() + at, bytes.size() - at});
    return parts;
  }

 private:
  std::mt19937_64 random_;
};

TEST(VirtioBlkFuzzTest, WhateverTheDriverAsksForTheDiskIsThatOfTheModel) {
  NoLoop loop;
  auto storage = std::make_unique<TestDisk>(kSectors, false);
  TestDisk& disk = *storage;
  VirtioBlk device(std::move(storage), "d", [](std::string_view) {});
  std::string model = disk.bytes;
  Guest guest(1);
  auto queue = std::make_unique<FakeQueue>();
  const auto activate = [&] {
    queue = std::make_unique<FakeQueue>();
    Virtqueue* const queues[] = {queue.get()};
    ASSERT_TRUE(device.Activate(device.features(), queues, loop).ok());
  };
  activate();
  const int steps = Steps(100'000);
  for (int i = 0; i < steps; ++i) {
    const VirtioBlkReq header = {.type = guest.Type(), .reserved = 0, .sector = guest.Sector()};
    std::string out(reinterpret_cast<const char*>(&header), sizeof header);
    const bool ranges = header.type == kVirtioBlkTDiscard || header.type == kVirtioBlkTWriteZeroes;
    std::string data = header.type == kVirtioBlkTOut ? guest.Bytes(guest.Size()) : "";
    std::vector<VirtioBlkDiscardWriteZeroes> given(ranges ? guest.Below(18) : 0);
    for (auto& range : given) {
      range = {guest.Below(kSectors), static_cast<uint32_t>(guest.Below(8)), guest.Below(64) == 0 ? 4u : 0u};
      data.append(reinterpret_cast<const char*>(&range), sizeof range);
    }
    if (ranges && guest.Below(8) == 0) data.resize(guest.Below(data.size() + 1));
    out += data;
    if (guest.Below(64) == 0) out.resize(guest.Below(16));
    std::string in(header.type == kVirtioBlkTIn || guest.Below(8) == 0 ? guest.Size() + 1 : guest.Below(64) != 0, '?');

    queue->Offer(guest.Cut(out), guest.Cut(in));
    device.OnQueue(0);
    if (in.empty()) {
      ASSERT_TRUE(queue->broken());
      device.Reset();
      activate();
      continue;
    }
    ASSERT_EQ(queue->done().back().written, in.size()) << "step " << i;
    const uint8_t status = static_cast<uint8_t>(in.back());
    ASSERT_LE(status, kVirtioBlkSUnsupp) << "step " << i;
    const bool fits = header.sector < kSectors || (header.sector == kSectors && data.empty());
    if (status == kVirtioBlkSOk && header.type == kVirtioBlkTOut) {
      ASSERT_TRUE(fits && data.size() % 512 == 0) << "step " << i;
      model.replace(header.sector * 512, data.size(), data);
    }
    if (status == kVirtioBlkSOk && header.type == kVirtioBlkTIn) {
      ASSERT_EQ(in.substr(0, in.size() - 1), model.substr(header.sector * 512, in.size() - 1)) << "step " << i;
    }
    if (status == kVirtioBlkSOk && ranges) {
      ASSERT_EQ(data.size() % sizeof given[0], 0u);
      given.resize(data.size() / sizeof given[0]);
      for (const auto& range : given) {
        ASSERT_LE(range.sector + range.num_sectors, kSectors);
        model.replace(range.sector * 512, range.num_sectors * 512, std::string(range.num_sectors * 512, 0));
      }
    }
    ASSERT_EQ(disk.bytes, model) << "step " << i;
    if (queue->done().size() > 1000) activate();
  }
}

}  // namespace
}  // namespace vmm
