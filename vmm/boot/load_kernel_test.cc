#include "vmm/boot/load_kernel.h"

#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vmm/boot/abi/bzimage_abi.h"
#include "vmm/boot/testing/bzimage_builder.h"
#include "vmm/boot/testing/compress.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

using Builder = BzImageBuilder;
using testing::HasSubstr;

constexpr uint64_t kMiB = 1 << 20;

class LoadKernelTest : public testing::Test {
 protected:
  void Memory(uint64_t size) { memory_ = *GuestMemory::Create(RamRanges(size)); }

  absl::StatusOr<LoadedKernel> LoadBytes(const std::vector<uint8_t>& bytes) {
    config_.kernel_path = WriteTestFile("kernel", bytes);
    return LoadKernel(config_, *memory_);
  }
  absl::StatusOr<LoadedKernel> Load(const Builder& builder) { return LoadBytes(builder.Image()); }

  template <typename T>
  T At(uint64_t address) {
    return *memory_->ReadObject<T>(GuestAddr{address});
  }
  SetupHeader Header() { return At<SetupHeader>(kBootParams.value + kSetupHeaderOffset); }
  std::string CommandLine() {
    std::string line(256, '\0');
    EXPECT_TRUE(memory_->Read(kCommandLine, {reinterpret_cast<uint8_t*>(line.data()), line.size()}).ok());
    return line.c_str();
  }

  std::unique_ptr<GuestMemory> memory_ = *GuestMemory::Create(RamRanges(64 * kMiB));
  BootConfig config_{.kaslr = {.mode = Kaslr::Mode::kOff}};
};

TEST_F(LoadKernelTest, APayloadOfEveryCompressionIsPlacedWhereItIsLinked) {
  for (const Codec codec : kAllCodecs) {
    Memory(64 * kMiB);
    Builder builder;
    builder.codec = codec;
    const auto loaded = Load(builder);
    ASSERT_TRUE(loaded.ok()) << CodecName(codec) << ": " << loaded.status();
    EXPECT_TRUE(loaded->direct);
    EXPECT_EQ(loaded->physical_base, Builder::kLinkedAt);
    EXPECT_EQ(loaded->kaslr_shift, 0u);
    EXPECT_EQ(loaded->version, "6.1.0-test (builder)");
    EXPECT_EQ(loaded->entry.rip, Builder::kLinkedAt + 0x40);
    EXPECT_EQ(At<uint8_t>(Builder::kLinkedAt), Builder::kTextByte);
    EXPECT_EQ(At<uint8_t>(Builder::kLinkedAt + Builder::kTextSize - 1), Builder::kTextByte);
    EXPECT_EQ(At<uint8_t>(Builder::kLinkedAt + Builder::kTextSize), 0);
    EXPECT_EQ(At<uint8_t>(Builder::kDataAt), Builder::kDataByte);
    EXPECT_EQ(At<uint8_t>(Builder::kDataAt + Builder::kDataSize - 1), Builder::kDataByte);
    EXPECT_EQ(At<uint8_t>(Builder::kDataAt + Builder::kDataSize), 0);
    EXPECT_EQ(At<uint64_t>(Builder::kLinkedAt + Builder::kAbs64Place), Builder::kAddress);
  }
}

TEST_F(LoadKernelTest, AMovedKernelHasItsAddressesMoved) {
  config_.kaslr = {.mode = Kaslr::Mode::kSeed, .seed = 12};
  const auto loaded = Load(Builder());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const uint64_t base = loaded->physical_base;
  const uint64_t shift = loaded->kaslr_shift;
  ASSERT_NE(shift, 0u);
  EXPECT_EQ(shift % kPmdSize, 0u);
  EXPECT_EQ(base % kPmdSize, 0u);
  EXPECT_LE(Builder::kLinkedAt + Builder::kInitSize + shift, kKernelImageSize);
  EXPECT_EQ(loaded->entry.rip, base + 0x40);
  EXPECT_EQ(At<uint32_t>(base + Builder::kAbs32Place), static_cast<uint32_t>(Builder::kAddress + shift));
  EXPECT_EQ(At<uint32_t>(base + Builder::kInverse32Place), static_cast<uint32_t>(Builder::kAddress - shift));
  EXPECT_EQ(At<uint64_t>(base + Builder::kAbs64Place), Builder::kAddress + shift);
  EXPECT_NE(Header().loadflags & kLoadflagKaslr, 0);
}

TEST_F(LoadKernelTest, TheNewestKernelsHaveNoInverseRelocations) {
  config_.kaslr = {.mode = Kaslr::Mode::kSeed, .seed = 12};
  Builder builder;
  builder.relocations.erase(builder.relocations.begin() + 2, builder.relocations.begin() + 4);
  const auto loaded = Load(builder);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(At<uint64_t>(loaded->physical_base + Builder::kAbs64Place), Builder::kAddress + loaded->kaslr_shift);
  EXPECT_EQ(At<uint32_t>(loaded->physical_base + Builder::kInverse32Place), static_cast<uint32_t>(Builder::kAddress));
}

TEST_F(LoadKernelTest, TheSameSeedGivesTheSamePlaceAndAnotherSeedAnother) {
  Memory(512 * kMiB);
  config_.kaslr = {.mode = Kaslr::Mode::kSeed, .seed = 1};
  const auto first = Load(Builder());
  Memory(512 * kMiB);
  const auto again = Load(Builder());
  Memory(512 * kMiB);
  config_.kaslr.seed = 2;
  const auto other = Load(Builder());
  ASSERT_TRUE(first.ok() && again.ok() && other.ok());
  EXPECT_EQ(first->physical_base, again->physical_base);
  EXPECT_EQ(first->kaslr_shift, again->kaslr_shift);
  EXPECT_NE(first->physical_base, other->physical_base);
  EXPECT_NE(first->kaslr_shift, other->kaslr_shift);
}

TEST_F(LoadKernelTest, NokaslrOnTheCommandLineIsHeeded) {
  config_.kaslr = {.mode = Kaslr::Mode::kOn};
  config_.command_line = "quiet nokaslr";
  const auto loaded = Load(Builder());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->physical_base, Builder::kLinkedAt);
  EXPECT_EQ(loaded->kaslr_shift, 0u);
  EXPECT_EQ(Header().loadflags & kLoadflagKaslr, 0);
}

TEST_F(LoadKernelTest, AKernelWithoutRelocationsStaysWhereItIsLinked) {
  config_.kaslr = {.mode = Kaslr::Mode::kSeed, .seed = 12};
  Builder builder;
  builder.relocations.clear();
  builder.lie = [](SetupHeader& header) { header.loadflags |= kLoadflagKaslr; };
  const auto loaded = Load(builder);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->physical_base, Builder::kLinkedAt);
  EXPECT_EQ(loaded->kaslr_shift, 0u);
  EXPECT_EQ(Header().loadflags & kLoadflagKaslr, 0) << "a flag in the file says nothing of our place";
}

TEST_F(LoadKernelTest, RamThatTheCommandLineMayTakeAwayIsNotUsed) {
  Memory(512 * kMiB);
  config_.kaslr = {.mode = Kaslr::Mode::kSeed, .seed = 2};
  config_.command_line = "mem=64M";
  const auto loaded = Load(Builder());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->physical_base, Builder::kLinkedAt);
  EXPECT_NE(loaded->kaslr_shift, 0u);
}

TEST_F(LoadKernelTest, BootParamsTellWhereEverythingIs) {
  config_.command_line = "console=ttyS0 quiet";
  config_.acpi_rsdp = kAcpiTables;
  config_.initrd_path = WriteTestFile("initrd", std::vector<uint8_t>(5000, 0x5a));
  const auto loaded = Load(Builder());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->entry.rsi, kBootParams.value);
  EXPECT_EQ(CommandLine(), "console=ttyS0 quiet");
  const SetupHeader header = Header();
  EXPECT_EQ(header.type_of_loader, 0xff);
  EXPECT_EQ(+header.cmd_line_ptr, kCommandLine.value);
  EXPECT_EQ(+header.ramdisk_image, 64 * kMiB - 8192);
  EXPECT_EQ(+header.ramdisk_size, 5000u);
  EXPECT_EQ(At<uint8_t>(header.ramdisk_image + 4999), 0x5a);
  EXPECT_EQ(At<uint64_t>(kBootParams.value + kBootParamsAcpiRsdpAddr), kAcpiTables.value);
  EXPECT_EQ(At<uint8_t>(kBootParams.value + kBootParamsSentinel), 0);
  const auto setup_data = At<SetupDataHead>(header.setup_data);
  EXPECT_EQ(setup_data.next, 0u);
  EXPECT_EQ(setup_data.type, kSetupRngSeed);
  EXPECT_EQ(setup_data.len, 32u);
}

TEST_F(LoadKernelTest, AnInitrdKeepsClearOfTheKernel) {
  // The kernel's place ends 64 KiB below the end of RAM, so the initrd has to go below it.
  Memory(64 * kMiB);
  Builder builder;
  builder.lie = [](SetupHeader& header) { header.init_size = 48 * kMiB - 0x10000; };
  config_.initrd_path = WriteTestFile("initrd", std::vector<uint8_t>(0x20000, 0x5a));
  const auto loaded = Load(builder);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(+Header().ramdisk_image, Builder::kLinkedAt - 0x20000);
}

TEST_F(LoadKernelTest, FiveLevelPagingNeedsTheCpuTheImageAndTheCommandLine) {
  config_.cpu_has_la57 = true;
  auto loaded = Load(Builder());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_TRUE(loaded->five_level);
  EXPECT_EQ(loaded->entry.cr4, 0x1020u);

  config_.command_line = "no5lvl";
  EXPECT_FALSE(Load(Builder())->five_level);
  config_.command_line = "no5lvlx xno5lvl";
  EXPECT_TRUE(Load(Builder())->five_level);
  config_.cpu_has_la57 = false;
  EXPECT_FALSE(Load(Builder())->five_level);
  config_.cpu_has_la57 = true;
  Builder builder;
  builder.lie = [](SetupHeader& header) { header.xloadflags &= ~kXlf5LevelEnabled; };
  loaded = Load(builder);
  EXPECT_FALSE(loaded->five_level);
  EXPECT_EQ(loaded->entry.cr4, 0x20u);
}

TEST_F(LoadKernelTest, ClassicEntersTheImagesOwnCode) {
  config_.mode = BootMode::kClassic;
  config_.cpu_has_la57 = true;
  config_.command_line = "quiet";
  const std::vector<uint8_t> image = Builder().Image();
  const auto loaded = LoadBytes(image);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_FALSE(loaded->direct);
  EXPECT_FALSE(loaded->five_level);
  EXPECT_EQ(loaded->entry.rip, Builder::kLinkedAt + 0x200);
  EXPECT_EQ(At<uint32_t>(Builder::kLinkedAt + 0x300), 0x184c2102u) << "the lz4 payload, still compressed";
  EXPECT_EQ(CommandLine(), "quiet nokaslr") << "--kaslr=off has no other way to reach it";
}

TEST_F(LoadKernelTest, ClassicFindsAnotherPlaceWhereThePreferredOneIsNotRam) {
  config_.mode = BootMode::kClassic;
  Builder builder;
  builder.lie = [](SetupHeader& header) { header.pref_address = 0xc0000000; };
  const auto loaded = Load(builder);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->physical_base, kPmdSize);
}

TEST_F(LoadKernelTest, AutoGoesClassicWhereThePayloadIsNotAKernelOfOurs) {
  Builder builder;
  builder.lie = [](SetupHeader& header) { header.payload_length = 0; };
  auto loaded = Load(builder);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_FALSE(loaded->direct);

  builder = Builder();
  builder.decoded = std::vector<uint8_t>(8192, 'x');
  loaded = Load(builder);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_FALSE(loaded->direct);
}

TEST_F(LoadKernelTest, AKernelFromBeforeXloadflagsIsEnteredDirectly) {
  Builder builder;
  builder.lie = [](SetupHeader& header) {
    header.version = 0x208;
    header.pref_address = ~uint64_t{0};  // in this version not yet a field
    header.init_size = 17;
    header.xloadflags = 0;
  };
  const auto loaded = Load(builder);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_TRUE(loaded->direct);
}

TEST_F(LoadKernelTest, AnElfFileGoesToItsPhysicalAddresses) {
  config_.command_line = "hello";
  Builder builder;
  builder.relocations.clear();
  builder.ehdr.e_entry = kStartKernelMap + Builder::kLinkedAt + 0x80;  // virtual, as most linkers leave it
  const auto loaded = LoadBytes(builder.Elf());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_TRUE(loaded->is_elf);
  EXPECT_EQ(loaded->entry.rip, Builder::kLinkedAt + 0x80);
  EXPECT_EQ(At<uint8_t>(Builder::kLinkedAt + Builder::kTextSize - 1), Builder::kTextByte);
  EXPECT_EQ(At<uint8_t>(Builder::kDataAt), Builder::kDataByte);
  EXPECT_EQ(+Header().header, kSetupHeaderMagic);
  EXPECT_EQ(Header().type_of_loader, 0xff);
  EXPECT_EQ(CommandLine(), "hello");
}

TEST_F(LoadKernelTest, AKernelMayLieAbove4GiBAndIsMappedThere) {
  Memory(8192 * kMiB);
  Builder builder;
  const std::string path = WriteTestFile("kernel", builder.Image());
  config_.kernel_path = path;
  bool above = false;
  for (uint64_t seed = 0; seed < 16 && !above; ++seed) {
    config_.kaslr = {.mode = Kaslr::Mode::kSeed, .seed = seed};
    const auto loaded = LoadKernel(config_, *memory_);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    above = loaded->physical_base >= 4096 * kMiB;
    if (!above) continue;
    uint64_t table = loaded->entry.cr3;
    for (const int shift : {39, 30}) table = At<uint64_t>(table + (loaded->entry.rip >> shift & 511) * 8) & ~0xfffull;
    EXPECT_EQ(At<uint64_t>(table + (loaded->entry.rip >> 21 & 511) * 8), AlignDown(loaded->entry.rip, kPmdSize) | 0x83);
  }
  EXPECT_TRUE(above);
}

TEST_F(LoadKernelTest, AFileThatIsNotARegularOneIsNamedAsWhatItIs) {
  const std::string fifo = testing::TempDir() + "/fifo." + std::to_string(getpid());
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const auto message = [&](const std::string& kernel, const std::string& initrd) {
    config_.kernel_path = kernel;
    config_.initrd_path = initrd;
    return std::string(LoadKernel(config_, *memory_).status().message());
  };
  const std::string good = WriteTestFile("kernel", Builder().Image());
  EXPECT_THAT(message(fifo, ""), HasSubstr("a FIFO"));
  EXPECT_THAT(message(testing::TempDir(), ""), HasSubstr("a directory"));
  EXPECT_THAT(message("/dev/null", ""), HasSubstr("it is a character device, not a regular file"));
  EXPECT_THAT(message("/nowhere", ""), HasSubstr("No such file"));
  EXPECT_THAT(message(WriteTestFile("empty", {}), ""), HasSubstr("the file is empty"));
  EXPECT_THAT(message(good, fifo), HasSubstr("initrd " + fifo + ": it is a FIFO"));
  EXPECT_THAT(message(good, testing::TempDir()), HasSubstr("a directory"));
  EXPECT_THAT(message(good, WriteTestFile("empty", {})), HasSubstr("the file is empty"));
  unlink(fifo.c_str());
}

}  // namespace
}  // namespace vmm
