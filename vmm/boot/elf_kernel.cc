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
  RETURN_IF_ERROR(
      CheckProgramHeaderTable({ehdr.e_phoff, ehdr.e_phentsize, ehdr.e_phnum}, sizeof(Elf64_Phdr), head.size()));

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
    const ElfSegment segment{phdr.p_offset, phdr.p_vaddr, phdr.p_paddr, phdr.p_filesz, phdr.p_memsz};
    RETURN_IF_ERROR(CheckSegmentInFile(segment, i, file_size));
    uint64_t end = 0;
    if (!CheckedAdd(phdr.p_paddr, phdr.p_memsz, &end)) {
      return Bad(absl::StrFormat("PT_LOAD %d: p_paddr %#x + p_memsz %#x passes 2^64", i, phdr.p_paddr, phdr.p_memsz));
    }
    kernel.segments.push_back(segment);
    kernel.end = std::max(kernel.end, phdr.p_offset + phdr.p_filesz);
    low = std::min(low, phdr.p_paddr);
    high = std::max(high, phdr.p_paddr + phdr.p_memsz);
  }
  if (kernel.segments.empty())
    return Bad(absl::StrFormat("ELF: none of its %d program headers is a PT_LOAD with memory", ehdr.e_phnum));
  RETURN_IF_ERROR(CheckDisjoint(kernel.segments, /*in_file=*/true));
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
