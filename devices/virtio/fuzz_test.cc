// The guest controls every byte of a ring and every register. A driver that keeps the rules now and then, and breaks
// them otherwise, must never crash the device, nor make it hold more than the ring can; a second thread changes the
// ring while it is read (through the memory's file, as a vCPU would: unseen by the compiler). FUZZ_STEPS in the
// environment asks for more steps than the default.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "devices/virtio/abi/virtio_mmio_abi.h"
#include "devices/virtio/chain_builder.h"
#include "devices/virtio/testing/ring_driver.h"
#include "devices/virtio/virtio_mmio.h"
#include "devices/virtio/virtio_rng.h"

namespace vmm {
namespace {

constexpr uint64_t kRam = 1 << 20;

int Steps(int otherwise) {
  const char* const steps = std::getenv("FUZZ_STEPS");
  return steps == nullptr ? otherwise : std::atoi(steps);
}

std::unique_ptr<GuestMemory> Ram() {
  const std::array ranges = {GuestRange{GuestAddr{0}, kRam}};
  return *GuestMemory::Create(ranges);
}

class Random {
 public:
  explicit Random(uint64_t seed) : random_(seed) {}
  uint64_t Any() { return random_(); }
  uint64_t Below(uint64_t limit) { return random_() % limit; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }

  // Mostly RAM, sometimes the ring itself or an edge.
  uint64_t Address() {
    switch (Below(12)) {
      case 0: return Any();
      case 1: return kRam - Below(32);
      case 2: return 0xd0000000 + Below(0x200);
      case 3: return RingDriver::kDesc + Below(0x4000);
      default: return RingDriver::kTables + Below(kRam / 2);
    }
  }
  uint32_t Length() {
    if (OneIn(12)) return static_cast<uint32_t>(Any());
    return static_cast<uint32_t>(OneIn(3) ? 16 * Below(8) : Below(512));
  }

 private:
  std::mt19937_64 random_;
};

// Writes random bytes over the rings and tables for as long as it lives.
class Vandal {
 public:
  Vandal(int memory_fd, uint64_t seed)
      : thread_([this, memory_fd, seed] {
          Random random(seed);
          while (!end_.load(std::memory_order_relaxed)) {
            const uint64_t word = random.OneIn(2) ? random.Any() : random.Below(16);
            const uint64_t at = RingDriver::kDesc + random.Below(RingDriver::kTables + 0x1000 - RingDriver::kDesc);
            if (pwrite(memory_fd, &word, 1 + random.Below(8), static_cast<off_t>(at)) < 0) return;
            std::this_thread::yield();
          }
        }) {}
  ~Vandal() {
    end_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> end_ = false;
  std::thread thread_;
};

class Events final : public RingEvents {
 public:
  void OnUsedBuffers() override {}
  void OnBroken(int, const absl::Status& why) override {
    ++broken;
    EXPECT_FALSE(why.ok());
  }
  int broken = 0;
};

class HostileDriver : public testing::TestWithParam<bool> {
 protected:
  // Breaks or keeps the rules at descriptor `at`.
  void WriteDescriptor(RingDriver& driver, uint16_t at, uint16_t size) {
    uint8_t* const desc = driver.At(RingDriver::kDesc + 16 * at);
    uint16_t flags = static_cast<uint16_t>(random_.OneIn(10) ? random_.Any() : random_.Below(8));
    if (GetParam()) flags |= wrap_ ? kPvirtqDescFAvail : kPvirtqDescFUsed;
    StoreRelaxed<uint64_t>(desc, random_.Address());
    StoreRelaxed<uint32_t>(desc + 8, random_.Length());
    const uint16_t other = static_cast<uint16_t>(random_.OneIn(20) ? random_.Any() : random_.Below(size));
    StoreRelaxed<uint16_t>(desc + (GetParam() ? 14 : 12), flags);
    StoreRelaxed<uint16_t>(desc + (GetParam() ? 12 : 14), other);
  }

  void Run(int steps, bool vandal);

  Random random_{20261201};
  bool wrap_ = true;
};
INSTANTIATE_TEST_SUITE_P(Forms, HostileDriver, testing::Bool(),
                         [](const auto& form) { return form.param ? "Packed" : "Split"; });

void HostileDriver::Run(int steps, bool vandal) {
  const std::unique_ptr<GuestMemory> memory = Ram();
  const uint8_t* const host = memory->regions()[0].host;
  std::unique_ptr<Vandal> other;
  if (vandal) other = std::make_unique<Vandal>(memory->fd(), 7);
  Events events;
  std::unique_ptr<RingDriver> driver;
  std::unique_ptr<Ring> ring;
  std::vector<DescriptorChain> held;
  uint16_t size = 0;
  int served = 0;
  for (int step = 0; step < steps; ++step) {
    if (ring == nullptr || ring->broken() || random_.OneIn(5000)) {
      size = static_cast<uint16_t>(1u << random_.Below(8));
      if (GetParam()) size = static_cast<uint16_t>(1 + random_.Below(200));
      driver = MakeRingDriver(GetParam(), *memory, size);
      // The kernel's copy does it: the other thread may write there.
      const std::vector<uint8_t> zeroes(RingDriver::kTables - RingDriver::kDesc);
      ASSERT_GT(pwrite(memory->fd(), zeroes.data(), zeroes.size(), RingDriver::kDesc), 0);
      uint64_t features = kVirtioFVersion1 | (GetParam() ? kVirtioFRingPacked : 0);
      if (!random_.OneIn(4)) features |= kVirtioFIndirectDesc;
      if (random_.OneIn(2)) features |= kVirtioFEventIdx;
      held.clear();
      wrap_ = true;
      ring = *Ring::Create({.layout = driver->layout(), .features = features}, *memory, events);
    }
    WriteDescriptor(*driver, static_cast<uint16_t>(random_.Below(size)), size);
    if (random_.OneIn(3)) {
      const uint64_t table = RingDriver::kTables + 16 * random_.Below(64);
      StoreRelaxed<uint64_t>(driver->At(table), random_.Address());
      StoreRelaxed<uint64_t>(driver->At(table + 8), random_.Length() | random_.Below(8) << (GetParam() ? 48 : 32));
    }
    if (random_.OneIn(50)) wrap_ = !wrap_;
    if (!GetParam()) {
      uint8_t* const avail = driver->At(RingDriver::kDriver);
      StoreRelaxed<uint16_t>(avail + 4 + 2 * random_.Below(size), static_cast<uint16_t>(random_.Below(size)));
      const uint16_t idx = LoadRelaxed<uint16_t>(avail + 2);
      StoreRelease<uint16_t>(avail + 2, static_cast<uint16_t>(random_.OneIn(200) ? random_.Any() : idx + 1));
    } else if (random_.OneIn(4)) {
      StoreRelaxed<uint32_t>(driver->At(RingDriver::kDriver), static_cast<uint32_t>(random_.Any()));
    }
    ring->RenewShare();
    while (std::optional<DescriptorChain> chain = ring->Pop()) {
      ++served;
      ASSERT_LE(chain->readable().size() + chain->writable().size(), size + kMaxIndirectTable);
      ASSERT_LT(chain->readable_bytes() + chain->writable_bytes(), uint64_t{1} << 32);
      for (const auto buffers : {chain->readable(), chain->writable()}) {
        for (const iovec& buffer : buffers) {
          const uint8_t* const start = static_cast<const uint8_t*>(buffer.iov_base);
          ASSERT_TRUE(start >= host && start + buffer.iov_len <= host + kRam);
        }
      }
      held.push_back(*std::move(chain));
      ASSERT_LE(held.size(), size);
    }
    while (!held.empty() && !random_.OneIn(3)) {
      const size_t at = random_.Below(held.size());
      ring->Push(held[at], static_cast<uint32_t>(random_.Any()));
      held.erase(held.begin() + static_cast<ptrdiff_t>(at));
    }
    ring->Interrupt();
  }
  EXPECT_GT(served, steps / 1000) << "the driver must get through to be a test";
  EXPECT_GT(events.broken, 0);
}

TEST_P(HostileDriver, NeverLeavesRamNorHoldsMoreThanTheRing) { Run(Steps(200'000), /*vandal=*/false); }
TEST_P(HostileDriver, NeverDoesSoWhileTheRingChangesUnderTheDevice) { Run(Steps(100'000), /*vandal=*/true); }

class NoWiring final : public EventWiring {
 public:
  bool ConnectNotify(int, int) override { return false; }
  bool ConnectInterrupt(int) override { return false; }
  void Interrupt() override {}
};

TEST(HostileRegisters, LeaveADeviceThatAResetBringsBack) {
  const std::unique_ptr<GuestMemory> memory = Ram();
  NoWiring wiring;
  VirtioRng rng;
  const auto mmio = *VirtioMmio::Create(rng, *memory, wiring);
  Random random(3);
  const auto write = [&](uint64_t offset, uint32_t value) {
    mmio->Write(offset, std::bit_cast<std::array<uint8_t, 4>>(value));
  };
  const int steps = Steps(20'000);
  for (int step = 0; step < steps; ++step) {
    constexpr uint32_t kStatuses[] = {0, 1, 3, 11, 15, 15, 15, 128};
    switch (random.Below(8)) {
      case 0: write(kVirtioMmioStatus, kStatuses[random.Below(8)]); break;
      case 1: write(kVirtioMmioDriverFeaturesSel, static_cast<uint32_t>(random.Below(3))); break;
      case 2: write(kVirtioMmioDriverFeatures, random.OneIn(2) ? 1 : static_cast<uint32_t>(random.Any())); break;
      case 3: write(kVirtioMmioQueueNum, static_cast<uint32_t>(1u << random.Below(8))); break;
      case 4: write(kVirtioMmioQueueReady, random.OneIn(8) ? 0 : 1); break;
      case 5: write(kVirtioMmioQueueNotify, static_cast<uint32_t>(random.Below(2))); break;
      case 6: write(0x80 + 16 * random.Below(3) + 4 * random.Below(2), static_cast<uint32_t>(random.Address())); break;
      case 7: {
        std::array<uint8_t, 8> bytes = std::bit_cast<std::array<uint8_t, 8>>(random.Any());
        const size_t width = size_t{1} << random.Below(4);
        const uint64_t offset = random.Below(VirtioMmio::kSize - 8);
        if (random.OneIn(2)) {
          mmio->Read(offset, std::span(bytes).first(width));
        } else {
          mmio->Write(offset, std::span(bytes).first(width));
        }
      }
    }
  }
  write(kVirtioMmioStatus, 0);
  std::array<uint8_t, 4> status;
  mmio->Read(kVirtioMmioStatus, status);
  EXPECT_EQ(std::bit_cast<uint32_t>(status), 0u);
}

}  // namespace
}  // namespace vmm
