// Images with any bytes anywhere. Nobody can tell which of them are bad. So the tests expect only that each is loaded
// or refused, quickly and without a fault. Run them under ASan.
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "vmm/boot/abi/bzimage_abi.h"
#include "vmm/boot/load_kernel.h"
#include "vmm/boot/testing/bzimage_builder.h"
#include "vmm/boot/testing/compress.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

using Builder = BzImageBuilder;
using Bytes = std::vector<uint8_t>;

constexpr uint64_t kRam = 64ull << 20;

class HostileImagesTest : public testing::Test {
 protected:
  // Loads in every mode. An accepted image must lie in RAM, and so must its entry.
  static void Load(const std::string& path) {
    for (const BootMode mode : {BootMode::kAuto, BootMode::kClassic}) {
      for (const Kaslr::Mode kaslr : {Kaslr::Mode::kOff, Kaslr::Mode::kOn}) {
        auto memory = GuestMemory::Create(RamRanges(kRam));
        ASSERT_TRUE(memory.ok());
        const auto loaded = LoadKernel({.kernel_path = path, .mode = mode, .kaslr = {.mode = kaslr}}, **memory);
        if (!loaded.ok()) {
          EXPECT_FALSE(loaded.status().message().empty());
          continue;
        }
        EXPECT_GE(loaded->physical_base, kHighMemory.value);
        EXPECT_GE(loaded->entry.rip, loaded->physical_base);
        EXPECT_LT(loaded->entry.rip, kRam);
      }
    }
  }
  static void LoadBytes(const Bytes& bytes) {
    const std::string path = WriteTestFile("hostile", bytes);
    Load(path);
    unlink(path.c_str());
  }
};

TEST_F(HostileImagesTest, AnyFieldOfTheHeaderMayBeAnyNumber) {
  struct Field {
    size_t offset;
    size_t size;
  };
#define FIELD(name) \
  Field { offsetof(SetupHeader, name), sizeof(SetupHeader::name) }
  const std::vector<Field> fields{
      FIELD(setup_sects),        FIELD(syssize),          FIELD(version),
      FIELD(kernel_version),     FIELD(code32_start),     FIELD(initrd_addr_max),
      FIELD(cmdline_size),       FIELD(kernel_alignment), FIELD(xloadflags),
      FIELD(relocatable_kernel), FIELD(payload_offset),   FIELD(payload_length),
      FIELD(setup_data),         FIELD(pref_address),     FIELD(init_size),
  };
#undef FIELD
  const Bytes good = Builder().Image();
  const uint64_t sizes[] = {0,       1,      2,          4,          63,           255,      511,  512,
                            0xfff,   0x1000, 0x200,      1u << 20,   kPmdSize,     kRam - 1, kRam, 1ull << 31,
                            ~0u - 1, ~0u,    1ull << 32, 1ull << 63, ~0ull - kRam, ~0ull};
  for (const Field& field : fields) {
    for (const uint64_t value : sizes) {
      Bytes bytes = good;
      std::memcpy(bytes.data() + kSetupHeaderOffset + field.offset, &value, field.size);
      LoadBytes(bytes);
    }
  }
}

TEST_F(HostileImagesTest, AnyBytesMayBeWrong) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 400; ++round) {
    Builder builder;
    builder.codec = kAllCodecs[random() % kAllCodecs.size()];
    // Damage before compression reaches the ELF parser and the relocations. Damage after it reaches the codecs.
    Bytes elf = builder.Elf();
    for (uint64_t i = random() % 4; i > 0; --i) elf[random() % 0xb0] = static_cast<uint8_t>(random());
    for (uint64_t i = random() % 4; i > 0; --i) elf[elf.size() - 1 - random() % 24] = static_cast<uint8_t>(random());
    builder.decoded = elf;
    Bytes image = builder.Image();
    for (uint64_t i = random() % 3; i > 0; --i) image[0x1f1 + random() % 0x7b] = static_cast<uint8_t>(random());
    for (uint64_t i = random() % 3; i > 0; --i) image[random() % image.size()] = static_cast<uint8_t>(random());
    LoadBytes(image);
  }
}

TEST_F(HostileImagesTest, AFileMayShrinkAndGrowWhileItIsLoaded) {
  const Bytes image = Builder().Image();
  const std::string path = WriteTestFile("changing", image);
  std::atomic<bool> done = false;
  std::thread other([&] {
    std::mt19937 random(5);
    while (!done) {
      if (truncate(path.c_str(), static_cast<off_t>(random() % image.size())) != 0) break;
      std::ofstream(path, std::ios::binary | std::ios::in)
          .write(reinterpret_cast<const char*>(image.data()), static_cast<std::streamsize>(image.size()));
    }
  });
  for (int round = 0; round < 200; ++round) Load(path);
  done = true;
  other.join();
  unlink(path.c_str());
}

}  // namespace
}  // namespace vmm
