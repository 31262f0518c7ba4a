#include "vmm/boot/multiboot_image.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/boot/abi/multiboot_abi.h"
#include "vmm/boot/elf_kernel.h"
#include "vmm/boot/machine_names.h"

namespace vmm {
namespace {

using Head = std::span<const uint8_t>;

constexpr uint64_t kFourGiB = 1ull << 32;  // the entry is in 32-bit mode without paging

absl::Status Bad(std::string message) { return absl::InvalidArgumentError(message); }

// REQUIRES: the object lies within `head`.
template <typename T>
T ObjectAt(Head head, uint64_t offset) {
  T object;
  std::memcpy(&object, head.data() + offset, sizeof(object));
  return object;
}

absl::Status CheckFlags(uint32_t flags) {
  if ((flags & kMultibootVideoMode) != 0) {
    return Bad(
        absl::StrFormat("multiboot header: flags %#x has bit 2, which asks for a video mode: this machine has no "
                        "screen; build the kernel without that",
                        flags));
  }
  constexpr uint32_t kKnown = kMultibootPageAlign | kMultibootMemoryInfo;
  const uint32_t unknown = flags & kMultibootRequirements & ~kKnown;
  if (unknown != 0) {
    return Bad(absl::StrFormat(
        "multiboot header: flags %#x asks for something that no specification names (bits %#x of 0 to 15)", flags,
        unknown));
  }
  return absl::OkStatus();
}

// ---- the header's own addresses

absl::StatusOr<ElfSegment> SegmentOfAddresses(const MultibootHeaderAddresses& at, uint64_t header_offset,
                                              uint64_t file_size) {
  if (at.load_addr > at.header_addr) {
    return Bad(
        absl::StrFormat("multiboot header: load_addr %#x is above header_addr %#x", at.load_addr, at.header_addr));
  }
  const uint64_t before = at.header_addr - at.load_addr;
  if (before > header_offset) {
    return Bad(
        absl::StrFormat("multiboot header: load_addr %#x is %d bytes below header_addr, but the header is only "
                        "%d bytes into the file",
                        at.load_addr, before, header_offset));
  }
  ElfSegment segment{.offset = header_offset - before, .vaddr = at.load_addr, .paddr = at.load_addr};
  segment.filesz = file_size - segment.offset;
  if (at.load_end_addr != 0) {
    if (at.load_end_addr < at.load_addr || at.load_end_addr - at.load_addr > segment.filesz) {
      return Bad(
          absl::StrFormat("multiboot header: load_end_addr %#x is not from load_addr %#x to %#x, where the file "
                          "ends",
                          at.load_end_addr, at.load_addr, at.load_addr + segment.filesz));
    }
    segment.filesz = at.load_end_addr - at.load_addr;
  }
  segment.memsz = segment.filesz;
  if (at.bss_end_addr != 0) {
    if (at.bss_end_addr < at.load_addr + segment.filesz) {
      return Bad(absl::StrFormat("multiboot header: bss_end_addr %#x is below %#x, where the loaded bytes end",
                                 at.bss_end_addr, at.load_addr + segment.filesz));
    }
    segment.memsz = at.bss_end_addr - at.load_addr;
  }
  if (segment.paddr + segment.memsz > kFourGiB) {
    return Bad(absl::StrFormat("multiboot header: load_addr %#x and %#x bytes from there pass 4 GiB", at.load_addr,
                               segment.memsz));
  }
  return segment;
}

absl::Status ReadAddresses(Head head, uint64_t file_size, MultibootImage& image) {
  const uint64_t offset = image.header_offset + sizeof(MultibootHeader);
  if (offset + sizeof(MultibootHeaderAddresses) > head.size()) {
    return Bad(absl::StrFormat("multiboot header at %#x: the file's %d bytes end before its address fields do",
                               image.header_offset, head.size()));
  }
  const auto at = ObjectAt<MultibootHeaderAddresses>(head, offset);
  ASSIGN_OR_RETURN(const ElfSegment segment, SegmentOfAddresses(at, image.header_offset, file_size));
  if (at.entry_addr < segment.paddr || at.entry_addr - segment.paddr >= segment.filesz) {
    return Bad(absl::StrFormat("multiboot header: entry_addr %#x is not in the loaded bytes %#x..+%#x", at.entry_addr,
                               segment.paddr, segment.filesz));
  }
  image.segments = {segment};
  image.entry = at.entry_addr;
  return absl::OkStatus();
}

// ---- ELF

struct Elf32Types {
  using Ehdr = Elf32_Ehdr;
  using Phdr = Elf32_Phdr;
};
struct Elf64Types {
  using Ehdr = Elf64_Ehdr;
  using Phdr = Elf64_Phdr;
};

absl::Status CheckMachine(uint8_t data, uint16_t machine, uint16_t type) {
  if (data != ELFDATA2LSB) return Bad(absl::StrFormat("ELF data encoding %d is not little-endian (1)", data));
  if (machine != EM_386 && machine != EM_X86_64) {
    return Bad(absl::StrFormat("e_machine %d (%s) of a multiboot kernel is neither i386 (3) nor x86-64 (62)", machine,
                               ElfMachineName(machine)));
  }
  if (type != ET_EXEC) return Bad(absl::StrFormat("e_type %d of a multiboot kernel is not ET_EXEC (2)", type));
  return absl::OkStatus();
}

absl::Status CheckSegment(const ElfSegment& segment, int index, uint64_t file_size) {
  RETURN_IF_ERROR(CheckSegmentInFile(segment, index, file_size));
  uint64_t end = 0;
  if (CheckedAdd(segment.paddr, segment.memsz, &end) && end <= kFourGiB) return absl::OkStatus();
  return Bad(
      absl::StrFormat("PT_LOAD %d: p_paddr %#x + p_memsz %#x passes 4 GiB, and a multiboot kernel is entered "
                      "in 32-bit mode",
                      index, segment.paddr, segment.memsz));
}

template <typename Types>
absl::Status ReadElf(Head head, uint64_t file_size, MultibootImage& image) {
  using Ehdr = typename Types::Ehdr;
  using Phdr = typename Types::Phdr;
  if (head.size() < sizeof(Ehdr)) {
    return Bad(absl::StrFormat("ELF: %d bytes, the ELF header alone has %d", head.size(), sizeof(Ehdr)));
  }
  const auto ehdr = ObjectAt<Ehdr>(head, 0);
  RETURN_IF_ERROR(CheckMachine(ehdr.e_ident[EI_DATA], ehdr.e_machine, ehdr.e_type));
  const uint64_t phoff = ehdr.e_phoff;
  RETURN_IF_ERROR(CheckProgramHeaderTable({phoff, ehdr.e_phentsize, ehdr.e_phnum}, sizeof(Phdr), head.size()));
  for (int i = 0; i < ehdr.e_phnum; ++i) {
    const auto phdr = ObjectAt<Phdr>(head, phoff + static_cast<uint64_t>(i) * sizeof(Phdr));
    if (phdr.p_type != PT_LOAD || phdr.p_memsz == 0) continue;
    const ElfSegment segment{phdr.p_offset, phdr.p_vaddr, phdr.p_paddr, phdr.p_filesz, phdr.p_memsz};
    RETURN_IF_ERROR(CheckSegment(segment, i, file_size));
    image.segments.push_back(segment);
  }
  if (image.segments.empty())
    return Bad(absl::StrFormat("ELF: none of its %d program headers is a PT_LOAD with memory", ehdr.e_phnum));
  RETURN_IF_ERROR(CheckDisjoint(image.segments, /*in_file=*/false));
  const std::optional<uint64_t> entry = PhysicalEntry(ehdr.e_entry, image.segments);
  if (!entry.has_value())
    return Bad(absl::StrFormat("e_entry %#x lies in no PT_LOAD's file bytes", uint64_t{ehdr.e_entry}));
  image.entry = static_cast<uint32_t>(*entry);
  return absl::OkStatus();
}

absl::Status ReadSegments(Head head, uint64_t file_size, MultibootImage& image) {
  if ((image.flags & kMultibootAddresses) != 0) return ReadAddresses(head, file_size, image);
  if (!IsElf(head) || head.size() <= EI_CLASS) {
    return Bad(absl::StrFormat("multiboot header: flags %#x has no address fields (bit 16), and the file is not ELF",
                               image.flags));
  }
  switch (head[EI_CLASS]) {
    case ELFCLASS32: return ReadElf<Elf32Types>(head, file_size, image);
    case ELFCLASS64: return ReadElf<Elf64Types>(head, file_size, image);
  }
  return Bad(absl::StrFormat("ELF class %d is neither 32-bit (1) nor 64-bit (2)", head[EI_CLASS]));
}

}  // namespace

std::optional<uint64_t> FindMultibootHeader(Head head) {
  const uint64_t end = std::min<uint64_t>(head.size(), kMultibootSearch);
  for (uint64_t at = 0; at + sizeof(MultibootHeader) <= end; at += kMultibootHeaderAlign) {
    const auto header = ObjectAt<MultibootHeader>(head, at);
    if (header.magic == kMultibootHeaderMagic && header.magic + header.flags + header.checksum == 0) return at;
  }
  return std::nullopt;
}

absl::StatusOr<MultibootImage> ParseMultiboot(Head head, uint64_t file_size) {
  MultibootImage image{.header_offset = *FindMultibootHeader(head)};
  image.flags = ObjectAt<MultibootHeader>(head, image.header_offset).flags;
  RETURN_IF_ERROR(CheckFlags(image.flags));
  RETURN_IF_ERROR(ReadSegments(head, file_size, image));
  uint64_t low = kFourGiB;
  uint64_t high = 0;
  for (const ElfSegment& segment : image.segments) {
    low = std::min(low, segment.paddr);
    high = std::max(high, segment.paddr + segment.memsz);
  }
  image.extent = {GuestAddr{low}, high - low};
  return image;
}

}  // namespace vmm
