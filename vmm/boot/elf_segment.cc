#include "vmm/boot/elf_segment.h"

#include <string>

#include "absl/strings/str_format.h"
#include "base/guest_addr.h"

namespace vmm {
namespace {

constexpr uint16_t kPhnumMax = 64;

absl::Status Bad(std::string message) { return absl::InvalidArgumentError(message); }

}  // namespace

absl::Status CheckProgramHeaderTable(const ElfPhdrTable& table, uint64_t entry_size, uint64_t head_size) {
  if (table.phentsize != entry_size) {
    return Bad(absl::StrFormat("e_phentsize %d is not %d", table.phentsize, entry_size));
  }
  if (table.phnum == 0 || table.phnum > kPhnumMax) {
    return Bad(absl::StrFormat("e_phnum %d is not from 1 to %d", table.phnum, kPhnumMax));
  }
  uint64_t end = 0;
  if (!CheckedAdd(table.phoff, table.phnum * entry_size, &end) || end > head_size) {
    return Bad(absl::StrFormat("e_phoff %#x with %d program headers is not within the first %d bytes", table.phoff,
                               table.phnum, head_size));
  }
  return absl::OkStatus();
}

absl::Status CheckSegmentInFile(const ElfSegment& segment, int index, uint64_t file_size) {
  if (segment.filesz > segment.memsz) {
    return Bad(
        absl::StrFormat("PT_LOAD %d: p_filesz %#x is more than p_memsz %#x", index, segment.filesz, segment.memsz));
  }
  uint64_t end = 0;
  if (!CheckedAdd(segment.offset, segment.filesz, &end) || end > file_size) {
    return Bad(absl::StrFormat("PT_LOAD %d: p_offset %#x + p_filesz %#x is past the file's %#x bytes", index,
                               segment.offset, segment.filesz, file_size));
  }
  return absl::OkStatus();
}

absl::Status CheckDisjoint(const std::vector<ElfSegment>& segments, bool in_file) {
  for (size_t i = 0; i < segments.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const ElfSegment& a = segments[j];
      const ElfSegment& b = segments[i];
      if (GuestRange{GuestAddr{a.paddr}, a.memsz}.Overlaps({GuestAddr{b.paddr}, b.memsz})) {
        return Bad(absl::StrFormat("two PT_LOADs overlap in memory: p_paddr %#x..+%#x and %#x..+%#x", a.paddr, a.memsz,
                                   b.paddr, b.memsz));
      }
      if (in_file && GuestRange{GuestAddr{a.offset}, a.filesz}.Overlaps({GuestAddr{b.offset}, b.filesz})) {
        return Bad(absl::StrFormat("two PT_LOADs overlap in the file: p_offset %#x..+%#x and %#x..+%#x", a.offset,
                                   a.filesz, b.offset, b.filesz));
      }
    }
  }
  return absl::OkStatus();
}

std::optional<uint64_t> PhysicalEntry(uint64_t e_entry, const std::vector<ElfSegment>& segments) {
  for (const bool physical : {true, false}) {
    for (const ElfSegment& segment : segments) {
      const uint64_t start = physical ? segment.paddr : segment.vaddr;
      if (e_entry >= start && e_entry - start < segment.filesz) return segment.paddr + (e_entry - start);
    }
  }
  return std::nullopt;
}

}  // namespace vmm
