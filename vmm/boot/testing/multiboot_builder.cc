#include "vmm/boot/testing/multiboot_builder.h"

#include <algorithm>
#include <cstring>

namespace vmm {
namespace {

constexpr uint32_t kDataOffset = 0x3000;

template <typename T>
void Put(std::vector<uint8_t>& bytes, size_t offset, const T& object) {
  std::memcpy(bytes.data() + offset, &object, sizeof(object));
}

MultibootHeader Finished(MultibootHeader header) {
  header.checksum += 0u - header.magic - header.flags;
  return header;
}

}  // namespace

MultibootBuilder::MultibootBuilder() {
  header = {.magic = kMultibootHeaderMagic, .flags = kMultibootPageAlign | kMultibootMemoryInfo, .checksum = 0};
  addresses = {.header_addr = kTextAt,
               .load_addr = kTextAt,
               .load_end_addr = kTextAt + kTextSize,
               .bss_end_addr = kTextAt + 0x3000,
               .entry_addr = kEntry};
  std::memcpy(ehdr.e_ident, ELFMAG, SELFMAG);
  ehdr.e_ident[EI_CLASS] = ELFCLASS32;
  ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
  ehdr.e_ident[EI_VERSION] = EV_CURRENT;
  ehdr.e_type = ET_EXEC;
  ehdr.e_machine = EM_386;
  ehdr.e_version = EV_CURRENT;
  ehdr.e_entry = kEntry;
  ehdr.e_phoff = sizeof(ehdr);
  ehdr.e_ehsize = sizeof(ehdr);
  ehdr.e_phentsize = sizeof(Elf32_Phdr);
  phdrs.push_back({.p_type = PT_LOAD,
                   .p_offset = kTextOffset,
                   .p_vaddr = kTextAt,
                   .p_paddr = kTextAt,
                   .p_filesz = kTextSize,
                   .p_memsz = kTextSize,
                   .p_flags = PF_R | PF_X,
                   .p_align = 0x1000});
  phdrs.push_back({.p_type = PT_LOAD,
                   .p_offset = kDataOffset,
                   .p_vaddr = kDataAt,
                   .p_paddr = kDataAt,
                   .p_filesz = kDataSize,
                   .p_memsz = kDataMemory,
                   .p_flags = PF_R | PF_W,
                   .p_align = 0x1000});
  ehdr.e_phnum = static_cast<Elf32_Half>(phdrs.size());
}

std::vector<uint8_t> MultibootBuilder::Elf() const {
  std::vector<uint8_t> bytes(kDataOffset + kDataSize, kDataByte);
  std::fill_n(bytes.begin(), kDataOffset, 0);
  std::fill_n(bytes.begin() + kTextOffset, kTextSize, kTextByte);
  Put(bytes, 0, ehdr);
  std::memcpy(bytes.data() + sizeof(ehdr), phdrs.data(), phdrs.size() * sizeof(phdrs[0]));
  Put(bytes, kHeaderOffset, Finished(header));
  Put(bytes, kHeaderOffset + sizeof(header), addresses);
  return bytes;
}

std::vector<uint8_t> MultibootBuilder::Flat() const {
  std::vector<uint8_t> bytes(kTextSize, kTextByte);
  MultibootHeader with_addresses = header;
  with_addresses.flags |= kMultibootAddresses;
  Put(bytes, 0, Finished(with_addresses));
  Put(bytes, sizeof(header), addresses);
  return bytes;
}

}  // namespace vmm
