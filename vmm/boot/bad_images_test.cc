// A table of files that are wrong in one way each, and of the expected error messages. Every file is refused within 100
// ms of CPU time. Under ASan, the table also shows that no refusal reads out of bounds.
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
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

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kRam = 64 * kMiB;
constexpr uint32_t kMax32 = ~uint32_t{0};
constexpr uint64_t kMax64 = ~uint64_t{0};

struct BadImage {
  std::string name;
  std::function<void(Builder&)> build;       // makes it wrong before it is built
  std::function<void(SetupHeader&)> header;  // puts a wrong value into the header
  std::function<void(Bytes&)> bytes;         // makes the finished file wrong
  std::function<void(BootConfig&)> config;
  bool elf = false;  // true: the file is the plain ELF; false: a bzImage
  std::string expected;
};

void PrintTo(const BadImage& row, std::ostream* out) { *out << row.name; }

void Cut(Bytes& bytes, size_t size) {
  if (size < bytes.size()) bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(size), bytes.end());
}

void Classic(BootConfig& config) { config.mode = BootMode::kClassic; }
void Direct(BootConfig& config) { config.mode = BootMode::kDirect; }
void Moved(BootConfig& config) { config.kaslr = {.mode = Kaslr::Mode::kSeed, .seed = 12}; }

std::vector<BadImage> HeaderRows() {
  using H = SetupHeader;
  return {
      {.name = "OneByte", .bytes = [](Bytes& b) { Cut(b, 1); }, .expected = "not a bzImage: 1 bytes"},
      {.name = "CutInTheBootSector", .bytes = [](Bytes& b) { Cut(b, 0x1f1); }, .expected = "not a bzImage: 497 bytes"},
      {.name = "CutInTheHeader", .bytes = [](Bytes& b) { Cut(b, 0x23b); }, .expected = "not a bzImage: 571 bytes"},
      {.name = "CutBehindCmdlineSize", .bytes = [](Bytes& b) { Cut(b, 0x23c); }, .expected = "header ends at 0x26c"},
      {.name = "CutInThePayload", .bytes = [](Bytes& b) { Cut(b, 0x800); }, .expected = "cut short: syssize"},
      {.name = "CutAtTheSetupEnd", .bytes = [](Bytes& b) { Cut(b, 0x400); }, .expected = "setup_sects 1 puts"},
      {.name = "NoMagic", .header = [](H& h) { h.header = 0; }, .expected = "\"HdrS\""},
      {.name = "GzippedFile",
       .bytes =
           [](Bytes& b) {
             b = {0x1f, 0x8b, 8, 0};
             b.resize(4096);
           },
       .expected = "it is gzip-compressed, and cannot be unpacked here"},
      {.name = "NoBootFlag", .header = [](H& h) { h.boot_flag = 0x55aa; }, .expected = "boot_flag at 0x1fe is 0x55aa"},
      {.name = "Protocol205", .header = [](H& h) { h.version = 0x205; }, .expected = "boot protocol 2.05 is too old"},
      {.name = "Protocol0", .header = [](H& h) { h.version = 0; }, .expected = "boot protocol 0.00 is too old"},
      {.name = "Protocol207",
       .header = [](H& h) { h.version = 0x207; },
       .expected = "protocol 2.07 has no 64-bit entry"},
      {.name = "HeaderLengthZero",
       .build = [](Builder& b) { b.header_length = 0; },
       .expected = "length byte at 0x201 is 0"},
      {.name = "HeaderLengthShort", .build = [](Builder& b) { b.header_length = 0x39; }, .expected = "ends at 0x23b"},
      {.name = "SetupSects255", .header = [](H& h) { h.setup_sects = 255; }, .expected = "setup_sects 255 puts"},
      {.name = "SetupSects0", .header = [](H& h) { h.setup_sects = 0; }, .expected = "setup_sects 0 puts"},
      {.name = "Syssize", .header = [](H& h) { h.syssize = kMax32; }, .expected = "syssize 0xffffffff"},
      {.name = "SyssizeByOne", .header = [](H& h) { h.syssize += 1; }, .expected = "cut short: syssize"},
      {.name = "No64BitEntry", .header = [](H& h) { h.xloadflags = 0x4; }, .expected = "32-bit only: xloadflags 0x4"},
      {.name = "No64BitEntryClassic",
       .header = [](H& h) { h.xloadflags = 0; },
       .config = Classic,
       .expected = "32-bit only"},
      {.name = "PayloadOffsetPastTheEnd",
       .header = [](H& h) { h.payload_offset = 0x100000; },
       .expected = "payload_offset 0x100000"},
      {.name = "PayloadOffsetMax",
       .header = [](H& h) { h.payload_offset = kMax32; },
       .expected = "payload_offset 0xffffffff"},
      {.name = "PayloadLengthMax",
       .header = [](H& h) { h.payload_length = kMax32; },
       .expected = "payload_length 0xffffffff"},
      {.name = "PayloadBothMax",
       .header = [](H& h) { h.payload_offset = h.payload_length = kMax32; },
       .expected = "payload_offset 0xffffffff"},
      {.name = "PayloadLengthPastByOne",
       .header = [](H& h) { h.payload_length += 16; },
       .expected = "is past the protected-mode part"},
      {.name = "PayloadLengthTiny",
       .header = [](H& h) { h.payload_length = 7; },
       .expected = "payload_length 7 is too short"},
      {.name = "PayloadLengthOneLess",
       .header = [](H& h) { h.payload_length -= 1; },
       .config = Direct,
       .expected = "lz4 payload"},
      {.name = "NoPayloadDirect",
       .header = [](H& h) { h.payload_length = 0; },
       .config = Direct,
       .expected = "no payload"},
      {.name = "UnknownCompressionDirect",
       .header =
           [](H& h) {
             h.payload_offset -= 16;
             h.payload_length = 64;
           },
       .config = Direct,
       .expected = "begins with 00 00 00 00: no known"},
      {.name = "AlignmentZero",
       .header = [](H& h) { h.kernel_alignment = 0; },
       .expected = "kernel_alignment 0 is not a power of two"},
      {.name = "AlignmentNoPowerOfTwo",
       .header = [](H& h) { h.kernel_alignment = 0x300000; },
       .expected = "kernel_alignment 0x300000"},
      {.name = "AlignmentOne", .header = [](H& h) { h.kernel_alignment = 1; }, .expected = "kernel_alignment 0x1"},
      {.name = "AlignmentHuge",
       .header = [](H& h) { h.kernel_alignment = 0x80000000; },
       .expected = "kernel_alignment 0x80000000"},
      {.name = "PrefAddressWraps",
       .header = [](H& h) { h.pref_address = kMax64; },
       .expected = "pref_address 0xffffffffffffffff + init_size 0x40000 passes 2^64"},
      {.name = "PrefAddressHighClassic",
       .header =
           [](H& h) {
             h.pref_address = 1ull << 63;
             h.relocatable_kernel = 0;
           },
       .config = Classic,
       .expected = "pref_address 0x8000000000000000"},
      {.name = "PrefAddressLowClassic",
       .header =
           [](H& h) {
             h.pref_address = 0x1000;
             h.relocatable_kernel = 0;
           },
       .config = Classic,
       .expected = "pref_address 0x1000)"},
      {.name = "PrefAddressInTheHole",
       .header =
           [](H& h) {
             h.pref_address = 0xfee00000;
             h.relocatable_kernel = 0;
           },
       .config = Classic,
       .expected = "pref_address 0xfee00000"},
      {.name = "InitSizeMax",
       .header = [](H& h) { h.init_size = kMax32; },
       .expected = "needs 4294967295 bytes of RAM at 0x1000000"},
      {.name = "InitSizeMaxClassic",
       .header = [](H& h) { h.init_size = kMax32; },
       .config = Classic,
       .expected = "init_size 0xffffffff"},
      {.name = "InitSizePastRamByOne",
       .header = [](H& h) { h.init_size = kRam - Builder::kLinkedAt + 1; },
       .expected = "needs 50331649 bytes"},
      {.name = "InitSizeLessThanTheKernel",
       .header = [](H& h) { h.init_size = 0x1000; },
       .expected = "take 0x7000 bytes, init_size is 0x1000"},
      {.name = "CmdlineSizeZero",
       .header = [](H& h) { h.cmdline_size = 0; },
       .config = [](BootConfig& c) { c.command_line = "q"; },
       .expected = "1 bytes, this kernel's limit is 0"},
      {.name = "CmdlineTooLong",
       .config = [](BootConfig& c) { c.command_line = std::string(2048, 'x'); },
       .expected = "2048 bytes, this kernel's limit is 2047"},
      {.name = "CmdlineSizeLie",
       .header = [](H& h) { h.cmdline_size = kMax32; },
       .config = [](BootConfig& c) { c.command_line = std::string(65536, 'x'); },
       .expected = "65536 bytes, this kernel's limit is 65535"},
      {.name = "CmdlineWithNul",
       .config = [](BootConfig& c) { c.command_line = std::string("a\0b", 3); },
       .expected = "NUL byte at 1"},
      {.name = "CmdlineFullInClassic",
       .config =
           [](BootConfig& c) {
             Classic(c);
             c.command_line = std::string(2047, 'x');
           },
       .expected = "2055 bytes"},
      {.name = "SeedInClassic",
       .config =
           [](BootConfig& c) {
             Moved(c);
             Classic(c);
           },
       .expected = "KASLR seed"},
  };
}

void CutStream(Builder& builder) {
  builder.spoil_stream = [](Bytes& stream) { Cut(stream, stream.size() - stream.size() / 4); };
}

std::vector<BadImage> CodecRows() {
  std::vector<BadImage> rows;
  for (const Codec codec : kAllCodecs) {
    const std::string name(CodecName(codec));
    const auto row = [&](const std::string& how, const std::string& expected, std::function<void(Builder&)> spoil) {
      rows.push_back({.name = name + how,
                      .build =
                          [codec, spoil](Builder& b) {
                            b.codec = codec;
                            spoil(b);
                          },
                      .expected = name + " payload" + expected});
    };
    if (codec != Codec::kGzip) {  // gzip's size word is in the stream: after a cut it is any number
      row("CutShort", "", CutStream);
      row("BytesBehindTheEnd", "", [](Builder& b) { b.spoil_stream = [](Bytes& s) { s.insert(s.end(), 8, 0xa5); }; });
      row("EmptyStream", "", [](Builder& b) { b.spoil_stream = [](Bytes& s) { Cut(s, 12); }; });
    }
    row("DamagedInTheMiddle", "", [](Builder& b) {
      b.spoil_stream = [](Bytes& s) { std::fill(s.begin() + s.size() / 2 - 8, s.begin() + s.size() / 2 + 8, 0xff); };
    });
    row("SizeOneLess", "", [](Builder& b) { b.size_word = static_cast<uint32_t>(b.Elf().size() - 1); });
    row("SizeOneMore", "", [](Builder& b) { b.size_word = static_cast<uint32_t>(b.Elf().size() + 1); });
    row("SizeZero", " of", [](Builder& b) { b.size_word = 0; });
    row("SizeMax", " of", [](Builder& b) { b.size_word = kMax32; });
    // A stream that claims to be far longer than it may be, and a stream that is far longer than it claims.
    row("Bomb", " of", [](Builder& b) { b.decoded = Bytes(20 * kMiB); });
    const std::string too_long = codec == Codec::kLz4    ? ": lz4 block at offset 8 is damaged or decodes to more"
                                 : codec == Codec::kZstd ? ": zstd: Destination buffer is too small"
                                                         : ": the stream decodes to more than the 1048576 bytes";
    row("BombThatLies", too_long, [](Builder& b) {
      b.decoded = b.Elf();
      b.decoded->resize(12 * kMiB);
      b.size_word = 1 * kMiB;
    });
  }
  return rows;
}

std::vector<BadImage> ElfRows() {
  using B = Builder;
  std::vector<BadImage> rows{
      {.name = "Elf32", .build = [](B& b) { b.ehdr.e_ident[EI_CLASS] = ELFCLASS32; }, .expected = "ELF class 1"},
      {.name = "ElfOtherMachine", .build = [](B& b) { b.ehdr.e_machine = EM_AARCH64; }, .expected = "e_machine 183"},
      {.name = "ElfBigEndian",
       .build = [](B& b) { b.ehdr.e_ident[EI_DATA] = ELFDATA2MSB; },
       .expected = "data encoding 2"},
      {.name = "ElfRelocatable", .build = [](B& b) { b.ehdr.e_type = ET_REL; }, .expected = "e_type 1"},
      {.name = "ElfCore", .build = [](B& b) { b.ehdr.e_type = ET_CORE; }, .expected = "e_type 4"},
      {.name = "PhentsizeZero", .build = [](B& b) { b.ehdr.e_phentsize = 0; }, .expected = "e_phentsize 0"},
      {.name = "PhentsizeOneLess", .build = [](B& b) { b.ehdr.e_phentsize = 55; }, .expected = "e_phentsize 55"},
      {.name = "PhnumZero", .build = [](B& b) { b.ehdr.e_phnum = 0; }, .expected = "e_phnum 0"},
      {.name = "PhnumMax", .build = [](B& b) { b.ehdr.e_phnum = 0xffff; }, .expected = "e_phnum 65535"},
      {.name = "PhoffPastTheHead", .build = [](B& b) { b.ehdr.e_phoff = 4090; }, .expected = "e_phoff 0xffa"},
      {.name = "PhoffWraps",
       .build = [](B& b) { b.ehdr.e_phoff = kMax64 - 100; },
       .expected = "e_phoff 0xffffffffffffff9b"},
      {.name = "NoPtLoad",
       .build = [](B& b) { b.phdrs[0].p_type = b.phdrs[1].p_type = PT_NOTE; },
       .expected = "none of its 2 program headers"},
      {.name = "OnlyEmptyPtLoads",
       .build =
           [](B& b) {
             for (auto& p : b.phdrs) p.p_memsz = p.p_filesz = 0;
           },
       .expected = "none of its 2 program headers"},
      {.name = "FileszMoreThanMemsz",
       .build = [](B& b) { b.phdrs[0].p_memsz = 1; },
       .expected = "PT_LOAD 0: p_filesz 0x2345 is more than p_memsz 0x1"},
      {.name = "OffsetPastTheFile",
       .build = [](B& b) { b.phdrs[1].p_offset = 0x100000; },
       .expected = "PT_LOAD 1: p_offset 0x100000"},
      {.name = "OffsetWraps",
       .build = [](B& b) { b.phdrs[1].p_offset = kMax64; },
       .expected = "p_offset 0xffffffffffffffff"},
      {.name = "FileszHuge",
       .build = [](B& b) { b.phdrs[1].p_filesz = b.phdrs[1].p_memsz = 1ull << 62; },
       .expected = "p_filesz 0x4000000000000000"},
      {.name = "PaddrWraps",
       .build = [](B& b) { b.phdrs[1].p_paddr = kMax64 - 1; },
       .expected = "p_paddr 0xfffffffffffffffe + p_memsz 0x3000 passes 2^64"},
      {.name = "MemszHuge",
       .build = [](B& b) { b.phdrs[1].p_memsz = 1ull << 40; },
       .expected = "0x10000004000 bytes, init_size"},
      {.name = "PaddrFarApart",
       .build = [](B& b) { b.phdrs[1].p_paddr = 1ull << 40; },
       .expected = "init_size is 0x40000"},
      {.name = "OverlapInMemory",
       .build = [](B& b) { b.phdrs[1].p_paddr = b.phdrs[0].p_paddr + 0x2344; },
       .expected = "overlap in memory"},
      {.name = "OverlapInTheFile",
       .build = [](B& b) { b.phdrs[1].p_offset = b.phdrs[0].p_offset + 0x2344; },
       .expected = "overlap in the file"},
      {.name = "EntryOutside",
       .build = [](B& b) { b.ehdr.e_entry = 0x10; },
       .expected = "e_entry 0x10 lies in no PT_LOAD"},
      {.name = "EntryInZeros",
       .build = [](B& b) { b.ehdr.e_entry = B::kDataAt + B::kDataSize; },
       .expected = "e_entry 0x1005800"},
      {.name = "SectionHeadersPastTheFile",
       .build = [](B& b) { b.ehdr.e_shoff = 0x100000; },
       .expected = "e_shoff 0x100000"},
      {.name = "SectionHeadersWrap",
       .build = [](B& b) { b.ehdr.e_shoff = kMax64 - 10; },
       .expected = "e_shoff 0xfffffffffffffff5"},
  };
  // Errors that only a plain ELF file can have.
  std::vector<BadImage> plain{
      {.name = "PlainBelow1MiB",
       .build =
           [](B& b) {
             b.phdrs[0].p_paddr = 0x1000;
             b.phdrs[0].p_vaddr = B::kLinkedAt;
             b.ehdr.e_entry = 0x1000;
           },
       .elf = true,
       .expected = "p_paddr 0x1000 is below 0x100000"},
      {.name = "PlainPastRam",
       .build = [](B& b) { b.phdrs[1].p_paddr = kRam - 0x1000; },
       .elf = true,
       .expected = "the kernel needs"},
      {.name = "PlainCutInTheHeader",
       .bytes = [](Bytes& b) { Cut(b, 63); },
       .elf = true,
       .expected = "63 bytes, the ELF header alone has 64"},
      {.name = "PlainCutInAPtLoad",
       .bytes = [](Bytes& b) { Cut(b, 0x4100); },
       .elf = true,
       .expected = "PT_LOAD 1: p_offset 0x4000 + p_filesz 0x1800 is past the file's 0x4100"},
      {.name = "PlainClassic", .config = Classic, .elf = true, .expected = "not for classic boot"},
      {.name = "PlainWithASeed", .config = Moved, .elf = true, .expected = "KASLR seed"},
      {.name = "PlainCmdlineTooLong",
       .config = [](BootConfig& c) { c.command_line = std::string(2048, 'x'); },
       .elf = true,
       .expected = "limit is 2047"},
  };
  rows.insert(rows.end(), plain.begin(), plain.end());
  return rows;
}

std::vector<BadImage> RelocationRows() {
  const auto row = [](std::string name, std::vector<uint32_t> words, std::string expected) {
    return BadImage{.name = "Relocations" + name,
                    .build = [words](Builder& b) { b.relocations = words; },
                    .config = Moved,
                    .expected = "relocations: " + expected};
  };
  constexpr uint32_t kGood = 0x81000100;
  return {
      row("OneList", {0, kGood}, "1 list in 2 words"),
      row("NoFirstZero", {kGood, 0, kGood, 0, kGood}, "no 0 ends the first list, 1 of 5"),
      row("OnlyPlaces", {kGood, kGood}, "no 0 ends the first list, 2 of 2"),
      row("FourLists", {0, kGood, 0, kGood, 0, kGood, 0, kGood}, "more than 3 lists"),
      row("BelowTheImage", {0, 0, 0, 0x80ffffff}, "place 0x80ffffff"),
      row("AcrossTheEndOfAPtLoad", {0, 0, 0, 0x81002342}, "place 0x81002342"),
      row("AcrossTheEnd64", {0, 0x8100233e, 0, 0}, "place 0x8100233e"),
      row("BetweenPtLoads", {0, 0, 0x81003000, 0}, "place 0x81003000"),
      row("InZeros", {0, 0, 0, 0x81005800}, "place 0x81005800"),
      row("BeyondTheImage", {0, 0, 0, 0xfffffffc}, "place 0xfffffffc"),
      row("NotSignExtended", {0, 0, 0, 0x01000100}, "place 0x1000100"),
      BadImage{.name = "RelocationsOddSize",
               .build =
                   [](Builder& b) {
                     b.decoded = b.Elf();
                     b.decoded->push_back(0);
                   },
               .config = Moved,
               .expected = "not a multiple of 4"},
  };
}

std::vector<BadImage> InitrdRows() {
  const auto initrd = [](uint64_t size) {
    return [size](BootConfig& config) {
      config.initrd_path = WriteTestFile("initrd", {1});
      EXPECT_EQ(truncate(config.initrd_path.c_str(), static_cast<off_t>(size)), 0);
    };
  };
  return {
      {.name = "InitrdMoreThanRam", .config = initrd(kRam), .expected = "67108864 bytes do not fit"},
      {.name = "InitrdOf1TiB", .config = initrd(1ull << 40), .expected = "1099511627776 bytes do not fit"},
      {.name = "InitrdBesideTheKernel",
       .header = [](SetupHeader& h) { h.init_size = 48 * kMiB; },
       .config = initrd(15 * kMiB + 1),
       .expected = "do not fit"},
      {.name = "InitrdAddrMaxZero",
       .header = [](SetupHeader& h) { h.initrd_addr_max = 0; },
       .config = initrd(1),
       .expected = "initrd_addr_max 0"},
      {.name = "InitrdAddrMaxLow",
       .header = [](SetupHeader& h) { h.initrd_addr_max = 0x1fffff; },
       .config = initrd(kMiB + 1),
       .expected = "initrd_addr_max 0x1fffff"},
      {.name = "InitrdMissing",
       .config = [](BootConfig& c) { c.initrd_path = "/nowhere/initrd"; },
       .expected = "initrd /nowhere/initrd: open: No such file"},
  };
}

class BadImagesTest : public testing::TestWithParam<BadImage> {};

TEST_P(BadImagesTest, IsRefusedWithItsReason) {
  const BadImage& row = GetParam();
  Builder builder;
  if (row.build) row.build(builder);
  if (row.header) builder.lie = row.header;
  if (row.elf) builder.relocations.clear();
  Bytes bytes = row.elf ? builder.Elf() : builder.Image();
  if (row.bytes) row.bytes(bytes);

  auto memory = GuestMemory::Create(RamRanges(kRam));
  ASSERT_TRUE(memory.ok());
  BootConfig config{.kernel_path = WriteTestFile("bad", bytes), .kaslr = {.mode = Kaslr::Mode::kOff}};
  if (row.config) row.config(config);

  timespec start;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
  const auto loaded = LoadKernel(config, **memory);
  timespec end;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);

  ASSERT_FALSE(loaded.ok()) << "it was loaded";
  const std::string message(loaded.status().message());
  EXPECT_THAT(message, testing::HasSubstr(row.expected));
  EXPECT_THAT(message, testing::StartsWith("kernel " + config.kernel_path + ": ")) << "the file is named";
  const double seconds =
      static_cast<double>(end.tv_sec - start.tv_sec) + static_cast<double>(end.tv_nsec - start.tv_nsec) * 1e-9;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(seconds, 0.1);
#endif
  RecordProperty("seconds", std::to_string(seconds));
  unlink(config.kernel_path.c_str());
}

std::string Name(const testing::TestParamInfo<BadImage>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Header, BadImagesTest, testing::ValuesIn(HeaderRows()), Name);
INSTANTIATE_TEST_SUITE_P(Codec, BadImagesTest, testing::ValuesIn(CodecRows()), Name);
INSTANTIATE_TEST_SUITE_P(Elf, BadImagesTest, testing::ValuesIn(ElfRows()), Name);
INSTANTIATE_TEST_SUITE_P(Relocations, BadImagesTest, testing::ValuesIn(RelocationRows()), Name);
INSTANTIATE_TEST_SUITE_P(Initrd, BadImagesTest, testing::ValuesIn(InitrdRows()), Name);

}  // namespace
}  // namespace vmm
