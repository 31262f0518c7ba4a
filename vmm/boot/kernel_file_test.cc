// Files with a kernel inside (compressed, a UKI), and files that can be mistaken for a kernel.
#include "vmm/boot/kernel_file.h"

#include <elf.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vmm/boot/load_kernel.h"
#include "vmm/boot/testing/bzimage_builder.h"
#include "vmm/boot/testing/compress.h"
#include "vmm/boot/testing/pe_builder.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

using Bytes = std::vector<uint8_t>;
using testing::HasSubstr;

constexpr uint64_t kRam = 64 << 20;

class KernelFileTest : public testing::Test {
 protected:
  absl::StatusOr<LoadedKernel> Load(const Bytes& bytes) {
    config_.kernel_path = WriteTestFile("kernel", bytes);
    memory_ = *GuestMemory::Create(RamRanges(kRam));
    absl::StatusOr<LoadedKernel> loaded = LoadKernel(config_, *memory_);
    unlink(config_.kernel_path.c_str());
    return loaded;
  }
  std::string Refusal(const Bytes& bytes) { return std::string(Load(bytes).status().message()); }

  std::string Read(uint64_t address, size_t size) {
    std::string bytes(size, '\0');
    EXPECT_TRUE(memory_->Read(GuestAddr{address}, {reinterpret_cast<uint8_t*>(bytes.data()), size}).ok());
    return bytes;
  }
  std::string CommandLine() { return Read(kCommandLine.value, 64).c_str(); }
  std::string Initrd() {
    const SetupHeader header = *memory_->ReadObject<SetupHeader>(GuestAddr{kBootParams.value + kSetupHeaderOffset});
    return Read(header.ramdisk_image, header.ramdisk_size);
  }

  std::unique_ptr<GuestMemory> memory_;
  BootConfig config_{.kaslr = {.mode = Kaslr::Mode::kOff}};
};

Bytes Vmlinux() {
  BzImageBuilder builder;
  builder.relocations.clear();
  return builder.Elf();
}

TEST_F(KernelFileTest, ABzImageInEachCompressionIsUnpacked) {
  for (const Codec codec : kAllCodecs) {
    const auto loaded = Load(Compress(codec, BzImageBuilder().Image()));
    ASSERT_TRUE(loaded.ok()) << CodecName(codec) << ": " << loaded.status();
    EXPECT_TRUE(loaded->direct);
    EXPECT_EQ(static_cast<uint8_t>(Read(BzImageBuilder::kDataAt, 1)[0]), BzImageBuilder::kDataByte);
  }
}

TEST_F(KernelFileTest, AVmlinuxInEachCompressionIsUnpacked) {
  for (const Codec codec : kAllCodecs) {
    const auto loaded = Load(Compress(codec, Vmlinux()));
    ASSERT_TRUE(loaded.ok()) << CodecName(codec) << ": " << loaded.status();
    EXPECT_TRUE(loaded->is_elf);
  }
}

TEST_F(KernelFileTest, AClassicImageInACompressionIsUnpacked) {
  config_.mode = BootMode::kClassic;
  const auto loaded = Load(Compress(Codec::kZstd, BzImageBuilder().Image()));
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->entry.rip, BzImageBuilder::kLinkedAt + kEntry64Offset);
}

// The default output of lz4(1), made by `printf 'abc' | lz4 -c`.
TEST_F(KernelFileTest, TheFrameOfLz4IsUnpackedToo) {
  const Bytes frame{0x04, 0x22, 0x4d, 0x18, 0x64, 0x40, 0xa7, 0x03, 0x00, 0x00, 0x80,
                    'a',  'b',  'c',  0x00, 0x00, 0x00, 0x00, 0xff, 0x53, 0xd1, 0x32};
  EXPECT_THAT(Refusal(frame), HasSubstr("inside of lz4: it is a text file"));
  EXPECT_THAT(Refusal(Bytes(frame.begin(), frame.end() - 6)), HasSubstr("cut short"));
}

TEST_F(KernelFileTest, OneLayerIsTakenOffAndTheNextIsNamed) {
  const Bytes twice = Compress(Codec::kGzip, Compress(Codec::kXz, Vmlinux()));
  EXPECT_THAT(Refusal(twice), HasSubstr("inside of gzip: it is xz-compressed here: unpack it by: xz -dc FILE"));
}

TEST_F(KernelFileTest, AStreamThatIsDamagedCutOrTooLongIsRefusedWithTheCommandThatUnpacksIt) {
  for (const Codec codec : kAllCodecs) {
    SCOPED_TRACE(std::string(CodecName(codec)));
    const Bytes good = Compress(codec, Vmlinux());
    const std::string said = std::string(CodecName(codec)) + "-compressed, and cannot be unpacked here";
    const std::string command = "-dc FILE > kernel";
    EXPECT_THAT(Refusal(Bytes(good.begin(), good.begin() + static_cast<long>(good.size() / 2))),
                testing::AllOf(HasSubstr(said), HasSubstr(command)));
    EXPECT_THAT(Refusal(Compress(codec, Bytes(17 << 20))), HasSubstr(said)) << "over 16 MiB, and 64 times";
  }
}

TEST_F(KernelFileTest, ACompressedInitrdIsNotTakenForAKernel) {
  const std::string cpio = "070701" + std::string(600, '0');
  EXPECT_THAT(Refusal(Bytes(cpio.begin(), cpio.end())), HasSubstr("a cpio archive, as an initrd is"));
  EXPECT_THAT(Refusal(Compress(Codec::kZstd, Bytes(cpio.begin(), cpio.end()))),
              HasSubstr("inside of zstd: it is a cpio archive"));
}

// ---- UKI

TEST_F(KernelFileTest, AUkiGivesItsKernelInitrdAndCommandLine) {
  const Bytes uki = PeBuilder()
                        .Add(".osrel", "ID=test")
                        .Add(".cmdline", std::string(" quiet\npanic=-1 \n\0", 18))
                        .Add(".initrd", "the initrd")
                        .Add(".linux", BzImageBuilder().Image())
                        .Image();
  const auto loaded = Load(uki);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_TRUE(loaded->direct);
  EXPECT_EQ(loaded->version, "6.1.0-test (builder)");
  EXPECT_EQ(CommandLine(), "quiet panic=-1");
  EXPECT_EQ(Initrd(), "the initrd");
}

TEST_F(KernelFileTest, WhatTheUserGivesStandsInPlaceOfTheUkis) {
  config_.command_line = "mine";
  config_.initrd_path = WriteTestFile("initrd", {'m', 'y'});
  const Bytes uki = PeBuilder().Add(".linux", Vmlinux()).Add(".cmdline", "its").Add(".initrd", "its initrd").Image();
  const auto loaded = Load(uki);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_TRUE(loaded->is_elf);
  EXPECT_EQ(CommandLine(), "mine");
  EXPECT_EQ(Initrd(), "my");
}

TEST_F(KernelFileTest, ACompressedUkiIsUnpackedAndAClassicOneIsPlaced) {
  config_.mode = BootMode::kClassic;
  const auto loaded = Load(Compress(Codec::kXz, PeBuilder().Add(".linux", BzImageBuilder().Image()).Image()));
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(Initrd(), "");
}

TEST_F(KernelFileTest, OfSeveralProfilesTheFirstIsTaken) {
  const Bytes uki = PeBuilder()
                        .Add(".linux", Vmlinux())
                        .Add(".cmdline", "base")
                        .Add(".profile", "ID=main")
                        .Add(".cmdline", "first")
                        .Add(".profile", "ID=other")
                        .Add(".cmdline", "second")
                        .Image();
  ASSERT_TRUE(Load(uki).ok());
  EXPECT_EQ(CommandLine(), "first");
}

TEST_F(KernelFileTest, ABadUkiIsRefusedByItsFieldOrSection) {
  const auto with = [](const std::function<void(std::vector<PeSectionHeader>&)>& lie) {
    PeBuilder builder;
    builder.Add(".linux", BzImageBuilder().Image()).Add(".initrd", "i").lie = lie;
    return builder.Image();
  };
  const auto refusal = [&](const std::function<void(PeSectionHeader&)>& lie) {
    return Refusal(with([&](std::vector<PeSectionHeader>& sections) { lie(sections[0]); }));
  };
  EXPECT_THAT(refusal([](auto& s) { s.PointerToRawData = ~0u; }), HasSubstr("PointerToRawData 0xffffffff"));
  EXPECT_THAT(refusal([](auto& s) { s.VirtualSize = s.SizeOfRawData = ~0u; }), HasSubstr("past the file's"));
  EXPECT_THAT(refusal([](auto& s) { s.VirtualSize = ~0u; }), HasSubstr("is more than SizeOfRawData"));
  EXPECT_THAT(refusal([](auto& s) { s.VirtualSize = s.SizeOfRawData = 0; }), HasSubstr(".linux of the UKI is empty"));
  EXPECT_THAT(refusal([](auto& s) { s.VirtualSize = 100; }), HasSubstr("not a bzImage: 100 bytes"));
  EXPECT_THAT(Refusal(PeBuilder().Add(".linux", "a").Add(".linux", "b").Image()), HasSubstr("two .linux sections"));
  EXPECT_THAT(Refusal(PeBuilder().Add(".linux", Compress(Codec::kXz, Vmlinux())).Image()),
              HasSubstr("section .linux: it is xz-compressed"));
  EXPECT_THAT(Refusal(PeBuilder().Add(".linux", PeBuilder().Add(".text", "x").Image()).Image()),
              HasSubstr("section .linux: it is an EFI program"));
  EXPECT_THAT(Refusal(PeBuilder().Add(".linux", Vmlinux()).Add(".cmdline", std::string(70000, 'x')).Image()),
              HasSubstr(".cmdline has 70000 bytes"));
  EXPECT_THAT(Refusal(PeBuilder().Add(".linux", Vmlinux()).Add(".cmdline", std::string("a\0b", 3)).Image()),
              HasSubstr("NUL byte"));

  PeBuilder arm;
  arm.Add(".linux", "a").coff.Machine = 0xaa64;
  EXPECT_THAT(Refusal(arm.Image()), HasSubstr("a UKI for arm64"));
  PeBuilder many;
  many.Add(".linux", "a").coff.NumberOfSections = 97;
  EXPECT_THAT(Refusal(many.Image()), HasSubstr("NumberOfSections 97"));
}

TEST_F(KernelFileTest, AnEfiProgramIsNamed) {
  EXPECT_THAT(Refusal(PeBuilder().Add(".text", "code").Image()),
              testing::AllOf(HasSubstr("an EFI program for x86-64"), HasSubstr("objcopy -O binary -j .linux")));
}

TEST_F(KernelFileTest, AUkiWithAnyBytesWrongIsLoadedOrRefused) {
  const Bytes good =
      PeBuilder().Add(".cmdline", "c").Add(".initrd", "i").Add(".linux", BzImageBuilder().Image()).Image();
  std::mt19937_64 random(3);
  for (int round = 0; round < 300; ++round) {
    Bytes bytes = good;
    for (int i = 0; i < 3; ++i) bytes[random() % 0x240] = static_cast<uint8_t>(random());
    if (round % 3 == 0) bytes.resize(random() % bytes.size());
    if (bytes.empty()) continue;
    const auto loaded = Load(bytes);
    if (!loaded.ok()) {
      EXPECT_FALSE(loaded.status().message().empty());
    }
  }
}

// ---- files that are something else

struct Stranger {
  std::string name;
  std::vector<std::pair<uint64_t, std::string>> bytes;  // written at these offsets into 48 KiB of 0xa5
  std::string expected;
};
void PrintTo(const Stranger& row, std::ostream* out) { *out << row.name; }

std::string S(std::initializer_list<int> bytes) {
  std::string text;
  for (const int byte : bytes) text.push_back(static_cast<char>(byte));
  return text;
}

std::vector<Stranger> Strangers() {
  const std::string be_elf = std::string("\177ELF\2\2\1") + std::string(9, '\0') + S({0, 2, 0, 22});
  const std::string le_elf = std::string("\177ELF\2\1\1") + std::string(9, '\0') + S({2, 0});
  const std::string elf32 = std::string("\177ELF\1\1\1") + std::string(9, '\0') + S({2, 0, 3, 0});
  return {
      {"Zboot",
       {{0, "MZ" + S({0, 0}) + "zimg" + S({0, 0x20, 0, 0, 0, 1, 0, 0}) + std::string(8, '\0') + "gzip" + S({0})},
        {0x3c, S({0x40, 0, 0, 0})},
        {0x40, S({'P', 'E', 0, 0, 0x64, 0xaa})}},
       "an EFI zboot image (gzip-compressed) for arm64: vmm starts no EFI program, and runs x86-64 only; its kernel "
       "comes out by: tail -c +8193 FILE | head -c 256 | gzip -dc > kernel"},
      {"Arm64", {{0x38, "ARM\x64"}}, "an arm64 kernel (Image)"},
      {"Arm64WithEfiStub",
       {{0, "MZ"}, {0x38, "ARM\x64" + S({0x40, 0, 0, 0, 'P', 'E', 0, 0, 0x64, 0xaa})}},
       "an arm64 kernel (Image)"},
      {"Riscv", {{0x30, "RISCV" + S({0, 0, 0}) + "RSC\x05"}}, "a riscv kernel (Image)"},
      {"Loongarch", {{0, "MZ"}, {0x38, S({0xcd, 0x23, 0x82, 0x81})}}, "a loongarch kernel (Image)"},
      {"Uimage",
       {{0, S({0x27, 0x05, 0x19, 0x56})}, {28, S({5, 2, 2, 0}) + "Linux-5.10" + S({0})}},
       "a U-Boot uImage for 32-bit arm (\"Linux-5.10\")"},
      {"Fit", {{0, S({0xd0, 0x0d, 0xfe, 0xed})}, {0x80, S({0, 0, 0, 1}) + "images" + S({0, 0})}}, "a FIT image"},
      {"DeviceTree", {{0, S({0xd0, 0x0d, 0xfe, 0xed})}}, "a flattened device tree"},
      {"Android", {{0, "ANDROID!"}}, "an Android boot image"},
      {"AndroidVendor", {{0, "VNDRBOOT"}}, "an Android vendor_boot image"},
      {"ArmZimage", {{0x24, S({0x18, 0x28, 0x6f, 0x01})}}, "a 32-bit arm kernel (zImage)"},
      {"S390ElfFile", {{0, be_elf}}, "a big-endian ELF file for s390"},
      {"Arm64ElfFile", {{0, le_elf + S({183, 0})}}, "e_machine 183 (arm64)"},
      {"RiscvElfFile", {{0, le_elf + S({243, 0})}}, "e_machine 243 (riscv)"},
      {"I386ElfFile", {{0, elf32}}, "ELF class 1, e_machine 3 (32-bit x86)"},
      {"Multiboot", {{0, elf32}, {0x1000, S({0x02, 0xb0, 0xad, 0x1b})}}, "a multiboot kernel (ELF class 1"},
      {"Multiboot2", {{0, elf32}, {0x3000, S({0xd6, 0x50, 0x52, 0xe8})}}, "a multiboot kernel (ELF class 1"},
      {"Tar", {{257, "ustar"}}, "a tar archive"},
      {"Rpm", {{0, S({0xed, 0xab, 0xee, 0xdb})}}, "an rpm package"},
      {"Deb", {{0, "!<arch>\ndebian-binary"}}, "a Debian package"},
      {"Qcow2", {{0, S({'Q', 'F', 'I', 0xfb})}}, "a qcow2 disk image"},
      {"Iso", {{0x8001, "CD001"}}, "an ISO 9660 image"},
      {"Gpt", {{512, "EFI PART"}}, "a disk image with a GPT"},
      {"Mbr",
       {{446, std::string(64, '\0')},
        {446, S({0x80, 0, 0, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 0, 1, 0})},
        {510, S({0x55, 0xaa})}},
       "a disk image with a partition table"},
      {"Ext4", {{0x438, S({0x53, 0xef})}}, "an ext2, ext3 or ext4 file system"},
      {"Kdump", {{0, "KDUMP   "}}, "a dump (kdump-compressed)"},
      {"Script", {{0, "#!/bin/sh"}}, "a script"},
      {"Text", {{0, std::string(512, 'x')}}, "a text file"},
      {"Zeros", {{0, std::string(48 << 10, '\0')}}, "a file that begins with zeros"},
      {"Nothing", {}, "begins with a5 a5 a5 a5"},
  };
}

class StrangersTest : public testing::TestWithParam<Stranger> {};

TEST_P(StrangersTest, IsNamed) {
  Bytes file(48 << 10, 0xa5);
  for (const auto& [offset, bytes] : GetParam().bytes) {
    std::copy(bytes.begin(), bytes.end(), file.begin() + static_cast<long>(offset));
  }
  const std::string path = WriteTestFile("stranger", file);
  const auto memory = GuestMemory::Create(RamRanges(kRam));
  const auto loaded = LoadKernel({.kernel_path = path}, **memory);
  unlink(path.c_str());
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(std::string(loaded.status().message()), HasSubstr(GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(Table, StrangersTest, testing::ValuesIn(Strangers()),
                         [](const testing::TestParamInfo<Stranger>& info) { return info.param.name; });

}  // namespace
}  // namespace vmm
