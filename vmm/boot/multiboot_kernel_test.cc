#include "vmm/boot/multiboot_kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/version.h"
#include "vmm/boot/abi/multiboot_abi.h"
#include "vmm/boot/load_kernel.h"
#include "vmm/boot/protected_mode.h"
#include "vmm/boot/testing/bzimage_builder.h"
#include "vmm/boot/testing/compress.h"
#include "vmm/boot/testing/multiboot_builder.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

using Builder = MultibootBuilder;
using Bytes = std::vector<uint8_t>;
using testing::HasSubstr;

constexpr uint64_t kMiB = 1 << 20;

class MultibootKernelTest : public testing::Test {
 protected:
  absl::StatusOr<LoadedKernel> Load(const Bytes& image) {
    config_.kernel_path = WriteTestFile("multiboot", image);
    return LoadKernel(config_, *memory_);
  }

  std::string Refusal(const Bytes& image) {
    const auto loaded = Load(image);
    EXPECT_FALSE(loaded.ok());
    return std::string(loaded.status().message());
  }

  template <typename T>
  T At(uint64_t address) {
    return *memory_->ReadObject<T>(GuestAddr{address});
  }
  std::string TextAt(uint64_t address) {
    std::string text(256, '\0');
    EXPECT_TRUE(memory_->Read(GuestAddr{address}, {reinterpret_cast<uint8_t*>(text.data()), text.size()}).ok());
    return text.c_str();
  }

  std::unique_ptr<GuestMemory> memory_ = *GuestMemory::Create(RamRanges(64 * kMiB));
  BootConfig config_;
};

TEST_F(MultibootKernelTest, ItIsEnteredInFlatProtectedModeWithoutPaging) {
  const auto loaded = Load(Builder().Elf());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_TRUE(loaded->is_multiboot);
  EXPECT_EQ(loaded->physical_base, Builder::kTextAt);
  const CpuState& cpu = loaded->entry;
  EXPECT_EQ(cpu.rip, Builder::kEntry);
  EXPECT_EQ(cpu.rax, 0x2badb002u);
  EXPECT_EQ(cpu.cr0, 0x11u);  // PE, ET
  EXPECT_EQ(cpu.cr4, 0u);
  EXPECT_EQ(cpu.efer, 0u);
  EXPECT_FALSE(InterruptsOn(cpu));
  EXPECT_TRUE(cpu.cs.db);
  EXPECT_FALSE(cpu.cs.l);
  EXPECT_EQ(cpu.cs.limit, 0xffffffffu);
  EXPECT_EQ(cpu.ss.base, 0u);
  EXPECT_EQ(At<uint64_t>(cpu.gdt.base + kFlatCs), kFlatGdt[1]);
}

TEST_F(MultibootKernelTest, ItsBytesAndItsBssAreInPlace) {
  ASSERT_TRUE(Load(Builder().Elf()).ok());
  EXPECT_EQ(At<uint8_t>(Builder::kTextAt + Builder::kTextSize - 1), Builder::kTextByte);
  EXPECT_EQ(At<uint8_t>(Builder::kDataAt), Builder::kDataByte);
  EXPECT_EQ(At<uint8_t>(Builder::kDataAt + Builder::kDataSize), 0);
}

TEST_F(MultibootKernelTest, TheInformationTellsOfMemoryAndTheCommandLine) {
  config_.command_line = "console=com1 noreboot";
  const auto loaded = Load(Builder().Elf());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const auto info = At<MultibootInfo>(loaded->entry.rbx);
  EXPECT_EQ(info.flags, 0x24du);
  EXPECT_EQ(info.mem_lower, 639u);
  EXPECT_EQ(info.mem_upper, 63u * 1024);
  EXPECT_EQ(TextAt(info.cmdline), config_.kernel_path + " console=com1 noreboot");
  EXPECT_EQ(TextAt(info.boot_loader_name), "vmm " + std::string(kVersion));
  EXPECT_EQ(info.mods_count, 0u);
  EXPECT_EQ(At<uint16_t>(kBdaEbdaSegment), 0x9fc0);
  EXPECT_EQ(At<uint16_t>(kBdaBaseMemory), 639);
}

TEST_F(MultibootKernelTest, EveryRealModeInterruptSaysThatItFailed) {
  ASSERT_TRUE(Load(Builder().Elf()).ok());
  for (const uint64_t vector : {0x00, 0x10, 0x13, 0x15, 0xff}) {
    EXPECT_EQ(At<uint32_t>(vector * 4), 0xf000ff00) << vector;
  }
  EXPECT_EQ(At<uint64_t>(kBiosStub.value), 0x5d01064e80e58955u);  // sets bit 0 of the FLAGS on the stack
  EXPECT_EQ(At<uint8_t>(kBiosStub.value + 8), 0xcf);              // iret
}

TEST_F(MultibootKernelTest, TheMemoryMapHasTheRamAbove4GiB) {
  memory_ = *GuestMemory::Create(RamRanges(5ull << 30));
  const auto loaded = Load(Builder().Elf());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const auto info = At<MultibootInfo>(loaded->entry.rbx);
  EXPECT_EQ(info.mem_upper, (3u << 20) - 1024);
  uint64_t ram = 0, above = 0;
  for (uint32_t at = 0; at < info.mmap_length;) {
    const auto entry = At<MultibootMmapEntry>(info.mmap_addr + at);
    ASSERT_EQ(uint32_t{entry.size}, 20u);
    if (entry.type == 1) ram += entry.length;
    if (entry.type == 1 && entry.base_addr == 4ull << 30) above = entry.length;
    at += entry.size + 4;
  }
  EXPECT_EQ(above, 2ull << 30);
  EXPECT_EQ(ram, (5ull << 30) - (kHighMemory.value - kEbda.value));
}

TEST_F(MultibootKernelTest, ModulesFollowTheKernelInTheirOrder) {
  const Bytes first(0x1801, 0xa1), second(0x10, 0xa2), third(0x20, 0xa3);
  config_.initrd_path = WriteTestFile("environment", first);
  config_.modules = {WriteTestFile("vmlinuz", second) + " console=hvc0 quiet", WriteTestFile("initrd", third)};
  const auto loaded = Load(Builder().Elf());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const auto info = At<MultibootInfo>(loaded->entry.rbx);
  ASSERT_EQ(info.mods_count, 3u);
  const auto module = [&](uint32_t n) { return At<MultibootModule>(info.mods_addr + n * sizeof(MultibootModule)); };
  EXPECT_EQ(module(0).mod_start, 0x405000u);
  EXPECT_EQ(module(0).mod_end, 0x406801u);
  EXPECT_EQ(TextAt(module(0).string), config_.initrd_path);
  EXPECT_EQ(module(1).mod_start, 0x407000u);
  EXPECT_EQ(TextAt(module(1).string), config_.modules[0]);
  EXPECT_EQ(module(2).mod_start, 0x408000u);
  EXPECT_EQ(At<uint8_t>(module(0).mod_end - 1), 0xa1);
  EXPECT_EQ(At<uint8_t>(module(1).mod_start), 0xa2);
  EXPECT_EQ(At<uint8_t>(module(2).mod_start), 0xa3);
}

TEST_F(MultibootKernelTest, ACompressedImageIsUnpacked) {
  const auto loaded = Load(Compress(Codec::kGzip, Builder().Elf()));
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->entry.rip, Builder::kEntry);
}

TEST_F(MultibootKernelTest, AFlatImageIsLoadedByItsHeadersAddresses) {
  const auto loaded = Load(Builder().Flat());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(At<uint8_t>(Builder::kTextAt + Builder::kTextSize - 1), Builder::kTextByte);
}

TEST_F(MultibootKernelTest, AnImageInLowMemoryKeepsTheInformationOutOfItsWay) {
  Builder builder;
  builder.addresses = {.header_addr = 0x2000, .load_addr = 0x2000, .bss_end_addr = 0x20000, .entry_addr = 0x2020};
  config_.command_line = std::string(5000, 'x');
  const auto loaded = Load(builder.Flat());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->entry.rip, 0x2020u);
  EXPECT_GE(loaded->entry.rbx, 0x20000u);
}

TEST_F(MultibootKernelTest, AnImageThatWantsTheTablesPlaceOrMoreRamIsRefused) {
  Builder builder;
  builder.addresses = {.header_addr = 0x9f000, .load_addr = 0x9f000, .entry_addr = 0x9f020};
  EXPECT_THAT(Refusal(builder.Flat()), HasSubstr("the kernel wants the memory 0x9f000..+0x1234"));
  builder.addresses = {.header_addr = 0x800, .load_addr = 0x800, .entry_addr = 0x820};
  EXPECT_THAT(Refusal(builder.Flat()), HasSubstr("the kernel wants the memory 0x800"));
  builder.addresses = {.header_addr = 0x3fff000, .load_addr = 0x3fff000, .entry_addr = 0x3fff020};
  EXPECT_THAT(Refusal(builder.Flat()), HasSubstr("of the guest's 64 MiB"));
}

TEST_F(MultibootKernelTest, AModuleThatIsMissingOrDoesNotFitIsNamed) {
  config_.modules = {"/nowhere/vmlinuz args"};
  EXPECT_THAT(Refusal(Builder().Elf()), HasSubstr("module /nowhere/vmlinuz args: open: No such file"));
  config_.modules = {WriteTestFile("large", Bytes(61 * kMiB))};
  EXPECT_THAT(Refusal(Builder().Elf()), HasSubstr("give it more memory"));
}

TEST_F(MultibootKernelTest, WhatItCannotDoIsRefused) {
  config_.mode = BootMode::kClassic;
  EXPECT_THAT(Refusal(Builder().Elf()), HasSubstr("not for classic boot"));
  config_ = {.kaslr = {.mode = Kaslr::Mode::kSeed, .seed = 1}};
  EXPECT_THAT(Refusal(Builder().Elf()), HasSubstr("KASLR seed"));
  config_ = {.modules = std::vector<std::string>(65, "m")};
  EXPECT_THAT(Refusal(Builder().Elf()), HasSubstr("65 modules, the limit is 64"));
  config_ = {.command_line = std::string(64 << 10, 'x')};
  EXPECT_THAT(Refusal(Builder().Elf()), HasSubstr("the command line has 65536 bytes"));
}

TEST_F(MultibootKernelTest, AKernelThatIsNoMultibootKernelTakesNoModules) {
  config_.modules = {"vmlinuz"};
  EXPECT_THAT(Refusal(BzImageBuilder().Image()), HasSubstr("--module=vmlinuz: boot modules are for multiboot kernels"));
}

// Nobody can tell which of these are bad. Each must be loaded or refused, and what is loaded lies in RAM.
TEST_F(MultibootKernelTest, AnyWordOfTheHeadersMayBeAnyNumber) {
  std::mt19937_64 random(17);
  const uint32_t numbers[] = {0,         1,          0x20,       0x1000,     0x9fc00,    0x100000, 0x3ffffff,
                              0x4000000, 0x7fffffff, 0x80000000, 0xbfffffff, 0xfffff000, 0xfffffff};
  int loaded_images = 0;
  for (int round = 0; round < 3000; ++round) {
    const bool flat = random() % 2 == 0;
    Builder builder;
    if (random() % 4 == 0) builder.header.flags = static_cast<uint32_t>(random() % 8) | kMultibootAddresses;
    Bytes bytes = flat ? builder.Flat() : builder.Elf();
    const size_t header = flat ? 12 : 0, size = flat ? 20 : sizeof(Elf32_Ehdr) + 2 * sizeof(Elf32_Phdr);
    for (uint64_t changes = random() % 4; changes > 0; --changes) {
      const uint32_t number =
          random() % 2 == 0 ? numbers[random() % std::size(numbers)] : static_cast<uint32_t>(random());
      std::memcpy(bytes.data() + header + random() % (size / 4) * 4, &number, sizeof(number));
    }
    if (random() % 8 == 0) bytes.resize(random() % bytes.size() + 1);
    const auto loaded = Load(bytes);
    if (!loaded.ok()) {
      EXPECT_FALSE(loaded.status().message().empty());
      continue;
    }
    ++loaded_images;
    EXPECT_LT(loaded->entry.rip, 64 * kMiB);
    EXPECT_LE(loaded->physical_base + loaded->image_size, 64 * kMiB);
  }
  EXPECT_GT(loaded_images, 100);
}

}  // namespace
}  // namespace vmm
