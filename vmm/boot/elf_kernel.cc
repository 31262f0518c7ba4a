#include "vmm/boot/elf_kernel.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/boot/machine_names.h"
#include "vmm/boot/user_program.h"

namespace vmm {
namespace {

constexpr uint16_t kPhnumMax = 64;

absl::Status Bad(std::string message) { return absl::InvalidArgumentError(message); }

absl::Status CheckIdentity(const Elf64_Ehdr& ehdr) {
  if (ehdr.e_ident[EI_DATA] == ELFDATA2MSB) {
    const std::string machine = ElfMachineName(__builtin_bswap16(ehdr.e_machine));
    return Bad(absl::StrFormat("a big-endian ELF file for %s (data encoding %d): vmm runs x86-64 only", machine,
                               ehdr.e_ident[EI_DATA]));
  }
  if (ehdr.e_ident[EI_DATA] != ELFDATA2LSB)
    return Bad(absl::StrFormat("ELF data encoding %d is not little-endian (1)", ehdr.e_ident[EI_DATA]));
  if (ehdr.e_ident[EI_CLASS] != ELFCLASS64 || ehdr.e_machine != EM_X86_64) {
    return Bad(
        absl::StrFormat("ELF class %d, e_machine %d (%s): only ELF64 for x86-64 (class 2, e_machine 62) can be entered",
                        ehdr.e_ident[EI_CLASS], ehdr.e_machine, ElfMachineName(ehdr.e_machine)));
  }
  if (ehdr.e_type != ET_EXEC && ehdr.e_type != ET_DYN) {
    const char* const kind = ehdr.e_type == ET_REL    ? ": it is an object file or a kernel module"
                             : ehdr.e_type == ET_CORE ? ": it is a core dump"
                                                      : "";
    return Bad(absl::StrFormat("e_type %d is not an executable (ET_EXEC 2 or ET_DYN 3)%s", ehdr.e_type, kind));
  }
  return absl::OkStatus();
}

absl::Status CheckProgramHeaderTable(const Elf64_Ehdr& ehdr, uint64_t head_size) {
  if (ehdr.e_phentsize != sizeof(Elf64_Phdr)) {
    return Bad(absl::StrFormat("e_phentsize %d is not %d", ehdr.e_phentsize, sizeof(Elf64_Phdr)));
  }
  if (ehdr.e_phnum == 0 || ehdr.e_phnum > kPhnumMax) {
    return Bad(absl::StrFormat("e_phnum %d is not from 1 to %d", ehdr.e_phnum, kPhnumMax));
  }
  uint64_t end = 0;
  if (!CheckedAdd(ehdr.e_phoff, uint64_t{ehdr.e_phnum} * sizeof(Elf64_Phdr), &end) || end > head_size) {
    return Bad(absl::StrFormat("e_phoff %#x with %d program headers is not within the first %d bytes", ehdr.e_phoff,
                               ehdr.e_phnum, head_size));
  }
  return absl::OkStatus();
}

absl::Status CheckSegment(const Elf64_Phdr& phdr, int index, uint64_t file_size) {
  uint64_t end = 0;
  if (phdr.p_filesz > phdr.p_memsz) {
    return Bad(
        absl::StrFormat("PT_LOAD %d: p_filesz %#x is more than p_memsz %#x", index, phdr.p_filesz, phdr.p_memsz));
  }
  if (!CheckedAdd(phdr.p_offset, phdr.p_filesz, &end) || end > file_size) {
    return Bad(absl::StrFormat("PT_LOAD %d: p_offset %#x + p_filesz %#x is past the file's %#x bytes", index,
                               phdr.p_offset, phdr.p_filesz, file_size));
  }
  if (!CheckedAdd(phdr.p_paddr, phdr.p_memsz, &end)) {
    return Bad(absl::StrFormat("PT_LOAD %d: p_paddr %#x + p_memsz %#x passes 2^64", index, phdr.p_paddr, phdr.p_memsz));
  }
  return absl::OkStatus();
}

absl::Status CheckDisjoint(const std::vector<ElfSegment>& segments) {
  for (size_t i = 0; i < segments.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const ElfSegment& a = segments[j];
      const ElfSegment& b = segments[i];
      if (GuestRange{GuestAddr{a.paddr}, a.memsz}.Overlaps({GuestAddr{b.paddr}, b.memsz})) {
        return Bad(absl::StrFormat("two PT_LOADs overlap in memory: p_paddr %#x..+%#x and %#x..+%#x", a.paddr, a.memsz,
                                   b.paddr, b.memsz));
      }
      if (GuestRange{GuestAddr{a.offset}, a.filesz}.Overlaps({GuestAddr{b.offset}, b.filesz})) {
        return Bad(absl::StrFormat("two PT_LOADs overlap in the file: p_offset %#x..+%#x and %#x..+%#x", a.offset,
                                   a.filesz, b.offset, b.filesz));
      }
    }
  }
  return absl::OkStatus();
}

// A vmlinux has its physical entry in e_entry. Other linkers leave the virtual one there.
std::optional<uint64_t> PhysicalEntry(uint64_t e_entry, const std::vector<ElfSegment>& segments) {
  for (const ElfSegment& segment : segments) {
    if (e_entry >= segment.paddr && e_entry - segment.paddr < segment.filesz) return e_entry;
  }
  for (const ElfSegment& segment : segments) {
    if (e_entry >= segment.vaddr && e_entry - segment.vaddr < segment.filesz)
      return e_entry - segment.vaddr + segment.paddr;
  }
  return std::nullopt;
}

}  // namespace

bool IsElf(std::span<const uint8_t> head) {
  return head.size() >= SELFMAG && std::memcmp(head.data(), ELFMAG, SELFMAG) == 0;
}

absl::StatusOr<ElfKernel> ParseElfKernel(std::span<const uint8_t> head, uint64_t file_size) {
  Elf64_Ehdr ehdr;
  if (!IsElf(head)) return Bad("not an ELF file");
  if (head.size() < sizeof(ehdr)) {
    return Bad(absl::StrFormat("ELF: %d bytes, the ELF header alone has %d", head.size(), sizeof(ehdr)));
  }
  std::memcpy(&ehdr, head.data(), sizeof(ehdr));
  RETURN_IF_ERROR(CheckIdentity(ehdr));
  RETURN_IF_ERROR(CheckProgramHeaderTable(ehdr, head.size()));

  std::vector<Elf64_Phdr> phdrs(ehdr.e_phnum);
  std::memcpy(phdrs.data(), head.data() + ehdr.e_phoff, phdrs.size() * sizeof(Elf64_Phdr));
  if (const std::optional<std::string> sign = SignOfUserProgram(ehdr, phdrs); sign.has_value()) {
    return Bad(
        absl::StrFormat("it is a program for user space (%s), not a kernel: boot a kernel, and put the program "
                        "into its initrd",
                        *sign));
  }

  ElfKernel kernel;
  uint64_t low = ~uint64_t{0};
  uint64_t high = 0;
  for (int i = 0; i < ehdr.e_phnum; ++i) {
    const Elf64_Phdr& phdr = phdrs[i];
    if (phdr.p_type != PT_LOAD || phdr.p_memsz == 0) continue;
    RETURN_IF_ERROR(CheckSegment(phdr, i, file_size));
    kernel.segments.push_back({phdr.p_offset, phdr.p_vaddr, phdr.p_paddr, phdr.p_filesz, phdr.p_memsz});
    kernel.end = std::max(kernel.end, phdr.p_offset + phdr.p_filesz);
    low = std::min(low, phdr.p_paddr);
    high = std::max(high, phdr.p_paddr + phdr.p_memsz);
  }
  if (kernel.segments.empty())
    return Bad(absl::StrFormat("ELF: none of its %d program headers is a PT_LOAD with memory", ehdr.e_phnum));
  RETURN_IF_ERROR(CheckDisjoint(kernel.segments));
  kernel.extent = {GuestAddr{low}, high - low};

  const std::optional<uint64_t> entry = PhysicalEntry(ehdr.e_entry, kernel.segments);
  if (!entry.has_value()) return Bad(absl::StrFormat("e_entry %#x lies in no PT_LOAD's file bytes", ehdr.e_entry));
  kernel.entry = *entry;

  if (ehdr.e_shoff != 0) {
    uint64_t end = 0;
    if (!CheckedAdd(ehdr.e_shoff, uint64_t{ehdr.e_shnum} * ehdr.e_shentsize, &end) || end > file_size) {
      return Bad(absl::StrFormat("e_shoff %#x with %d section headers of %d bytes is past the file's %#x bytes",
                                 ehdr.e_shoff, ehdr.e_shnum, ehdr.e_shentsize, file_size));
    }
    kernel.end = std::max(kernel.end, end);
  }
  return kernel;
}

}  // namespace vmm
