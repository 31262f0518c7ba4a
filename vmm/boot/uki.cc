#include "vmm/boot/uki.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "absl/strings/str_format.h"
#include "base/guest_addr.h"
#include "base/status.h"
#include "vmm/boot/abi/pe_abi.h"

namespace vmm {
namespace {

absl::Status Bad(std::string message) { return absl::InvalidArgumentError(message); }

// Returns the T at `offset` of `head`, or nothing if `head` ends before it does.
template <typename T>
std::optional<T> At(std::span<const uint8_t> head, uint64_t offset) {
  if (offset > head.size() || sizeof(T) > head.size() - offset) return std::nullopt;
  T value;
  std::memcpy(reinterpret_cast<uint8_t*>(&value), head.data() + offset, sizeof(value));
  return value;
}

// Returns the offset of the COFF header, or nothing if `head` is not the beginning of a PE file.
std::optional<uint64_t> FindCoffHeader(std::span<const uint8_t> head) {
  if (head.size() < 2 || head[0] != 'M' || head[1] != 'Z') return std::nullopt;
  const std::optional<uint32_t> lfanew = At<uint32_t>(head, kDosLfanewOffset);
  if (!lfanew.has_value() || At<uint32_t>(head, *lfanew) != kPeSignature) return std::nullopt;
  return uint64_t{*lfanew} + sizeof(kPeSignature);
}

std::string_view NameOf(const PeSectionHeader& section) {
  return {section.Name, strnlen(section.Name, sizeof(section.Name))};
}

absl::StatusOr<PeSection> Place(const PeSectionHeader& section, uint64_t file_size) {
  // SizeOfRawData includes padding, VirtualSize does not. Some linkers leave VirtualSize 0.
  const uint32_t size = section.VirtualSize == 0 ? section.SizeOfRawData : section.VirtualSize;
  if (size > section.SizeOfRawData) {
    return Bad(absl::StrFormat("section %s: VirtualSize %#x is more than SizeOfRawData %#x", NameOf(section), size,
                               section.SizeOfRawData));
  }
  if (uint64_t{section.PointerToRawData} + size > file_size) {
    return Bad(absl::StrFormat("section %s: PointerToRawData %#x + its size %#x is past the file's %#x bytes",
                               NameOf(section), section.PointerToRawData, size, file_size));
  }
  return PeSection{section.PointerToRawData, size};
}

}  // namespace

bool IsPe(std::span<const uint8_t> head) { return FindCoffHeader(head).has_value(); }

absl::StatusOr<Uki> ParseUki(std::span<const uint8_t> head, uint64_t file_size) {
  const uint64_t coff_at = *FindCoffHeader(head);
  const std::optional<CoffHeader> coff = At<CoffHeader>(head, coff_at);
  if (!coff.has_value()) return Bad(absl::StrFormat("PE: %d bytes, its COFF header is at %#x", file_size, coff_at));
  if (coff->NumberOfSections > kPeMaxSections) {
    return Bad(absl::StrFormat("PE: NumberOfSections %d is more than the limit of %d", coff->NumberOfSections,
                               kPeMaxSections));
  }
  const uint64_t table = coff_at + sizeof(CoffHeader) + coff->SizeOfOptionalHeader;
  if (table + coff->NumberOfSections * sizeof(PeSectionHeader) > head.size()) {
    return Bad(absl::StrFormat("PE: NumberOfSections %d from %#x on are not within the first %d bytes",
                               coff->NumberOfSections, table, head.size()));
  }

  Uki uki{.machine = coff->Machine};
  int profiles = 0;
  bool of_profile[3] = {};  // true if the section was seen after the first .profile
  for (int i = 0; i < coff->NumberOfSections; ++i) {
    const PeSectionHeader section = *At<PeSectionHeader>(head, table + i * sizeof(PeSectionHeader));
    const std::string_view name = NameOf(section);
    // Sections before the first .profile are for all profiles. A section after a .profile replaces the common one in
    // that profile.
    if (name == ".profile" && ++profiles > 1) break;
    const int which = name == ".linux" ? 0 : name == ".initrd" ? 1 : name == ".cmdline" ? 2 : -1;
    if (which < 0) continue;
    std::optional<PeSection>& place = which == 0 ? uki.kernel : which == 1 ? uki.initrd : uki.cmdline;
    if (place.has_value() && (profiles == 0 || of_profile[which])) {
      return Bad(absl::StrFormat("a UKI with two %s sections", name));
    }
    of_profile[which] = profiles > 0;
    ASSIGN_OR_RETURN(place, Place(section, file_size));
  }
  return uki;
}

}  // namespace vmm
