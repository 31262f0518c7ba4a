#include "vmm/boot/testing/bzimage_builder.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "base/guest_addr.h"
#include "gtest/gtest.h"
#include "vmm/boot/testing/compress.h"

namespace vmm {
namespace {

constexpr uint64_t kTextOffset = 0x1000;
constexpr uint64_t kDataOffset = 0x4000;
constexpr uint64_t kSectionHeaders = 0x5800;
constexpr int kSectionCount = 3;
constexpr uint64_t kSetupSize = 2 * kSetupSectorSize;  // setup_sects 1
constexpr uint16_t kVersionOffset = 0x300;
constexpr uint32_t kPayloadOffset = 0x300;  // after the 64-bit entry

uint32_t Place(uint64_t offset) { return static_cast<uint32_t>(kStartKernelMap + BzImageBuilder::kLinkedAt + offset); }

template <typename T>
void Put(std::vector<uint8_t>& bytes, uint64_t offset, const T& value) {
  std::memcpy(bytes.data() + offset, &value, sizeof(value));
}

Elf64_Phdr Load(uint64_t offset, uint64_t paddr, uint64_t filesz, uint64_t memsz) {
  return {.p_type = PT_LOAD,
          .p_flags = PF_R | PF_W | PF_X,
          .p_offset = offset,
          .p_vaddr = kStartKernelMap + paddr,
          .p_paddr = paddr,
          .p_filesz = filesz,
          .p_memsz = memsz,
          .p_align = 0x1000};
}

}  // namespace

BzImageBuilder::BzImageBuilder() {
  std::memcpy(ehdr.e_ident, ELFMAG, SELFMAG);
  ehdr.e_ident[EI_CLASS] = ELFCLASS64;
  ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
  ehdr.e_ident[EI_VERSION] = EV_CURRENT;
  ehdr.e_type = ET_EXEC;
  ehdr.e_machine = EM_X86_64;
  ehdr.e_version = EV_CURRENT;
  ehdr.e_entry = kLinkedAt + 0x40;
  ehdr.e_phoff = sizeof(Elf64_Ehdr);
  ehdr.e_shoff = kSectionHeaders;
  ehdr.e_ehsize = sizeof(Elf64_Ehdr);
  ehdr.e_phentsize = sizeof(Elf64_Phdr);
  ehdr.e_shentsize = sizeof(Elf64_Shdr);
  ehdr.e_phnum = 2;
  ehdr.e_shnum = kSectionCount;
  phdrs = {Load(kTextOffset, kLinkedAt, kTextSize, kTextSize), Load(kDataOffset, kDataAt, kDataSize, 0x3000)};
  relocations = {0, Place(kAbs64Place), 0, Place(kInverse32Place), 0, Place(kAbs32Place)};
}

std::vector<uint8_t> BzImageBuilder::Elf() const {
  std::vector<uint8_t> file(kSectionHeaders + kSectionCount * sizeof(Elf64_Shdr));
  std::fill_n(file.begin() + kTextOffset, kTextSize, kTextByte);
  std::fill_n(file.begin() + kDataOffset, kDataSize, kDataByte);
  Put(file, 0, ehdr);
  for (size_t i = 0; i < phdrs.size(); ++i) Put(file, sizeof(ehdr) + i * sizeof(Elf64_Phdr), phdrs[i]);
  Put(file, kTextOffset + kAbs32Place, static_cast<uint32_t>(kAddress));
  Put(file, kTextOffset + kInverse32Place, static_cast<uint32_t>(kAddress));
  Put(file, kDataOffset + (kAbs64Place - (kDataAt - kLinkedAt)), kAddress);
  for (const uint32_t word : relocations) {
    file.resize(file.size() + sizeof(word));
    Put(file, file.size() - sizeof(word), word);
  }
  return file;
}

std::vector<uint8_t> BzImageBuilder::Payload() const {
  const std::vector<uint8_t> file = decoded.has_value() ? *decoded : Elf();
  std::vector<uint8_t> payload = Compress(codec, file);
  if (spoil_stream) spoil_stream(payload);
  const uint32_t size = size_word.value_or(static_cast<uint32_t>(file.size()));
  if (codec != Codec::kGzip) payload.resize(payload.size() + sizeof(size));
  if (codec != Codec::kGzip || size_word.has_value()) Put(payload, payload.size() - sizeof(size), size);
  return payload;
}

std::vector<uint8_t> BzImageBuilder::Image() const {
  const std::vector<uint8_t> payload = Payload();
  std::vector<uint8_t> image(AlignUp(kSetupSize + kPayloadOffset + payload.size(), kSyssizeUnit));
  SetupHeader header;
  header.setup_sects = kSetupSize / kSetupSectorSize - 1;
  header.syssize = static_cast<uint32_t>((image.size() - kSetupSize) / kSyssizeUnit);
  header.boot_flag = kBootFlag;
  header.jump = static_cast<uint16_t>(0xeb | header_length << 8);
  header.header = kSetupHeaderMagic;
  header.version = 0x20f;
  header.kernel_version = kVersionOffset - 0x200;
  header.loadflags = kLoadflagLoadedHigh;
  header.initrd_addr_max = 0x7fffffff;
  header.kernel_alignment = kPmdSize;
  header.relocatable_kernel = 1;
  header.xloadflags = kXlfKernel64 | kXlfCanBeLoadedAbove4G | kXlf5Level | kXlf5LevelEnabled;
  header.cmdline_size = 2047;
  header.payload_offset = kPayloadOffset;
  header.payload_length = static_cast<uint32_t>(payload.size());
  header.pref_address = kLinkedAt;
  header.init_size = kInitSize;
  if (lie) lie(header);
  Put(image, kSetupHeaderOffset, header);
  std::copy(version.begin(), version.end(), image.begin() + kVersionOffset);
  std::copy(payload.begin(), payload.end(), image.begin() + kSetupSize + kPayloadOffset);
  return image;
}

std::string WriteTestFile(const std::string& name, const std::vector<uint8_t>& bytes) {
  const std::string path = testing::TempDir() + "/" + name + "." + std::to_string(getpid());
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  EXPECT_TRUE(file.good()) << path;
  return path;
}

}  // namespace vmm
