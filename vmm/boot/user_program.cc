#include "vmm/boot/user_program.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr uint64_t kUpperHalf = 1ull << 63;
constexpr uint32_t kPtGnuProperty = 0x6474e553;  // PT_GNU_PROPERTY

// Names a header that a C library or a dynamic linker reads, but no kernel's start code.
const char* NameOfUserHeader(uint32_t type) {
  switch (type) {
    case PT_INTERP: return "PT_INTERP";
    case PT_DYNAMIC: return "PT_DYNAMIC";
    case PT_TLS: return "PT_TLS";
    case PT_GNU_RELRO: return "PT_GNU_RELRO";
    case kPtGnuProperty: return "PT_GNU_PROPERTY";
    default: return nullptr;
  }
}

// Programs find their program headers in memory (AT_PHDR), so linkers put the beginning of the file into a page of the
// first PT_LOAD. A kernel's linker script does not do that.
bool MapsItsHeaders(const Elf64_Phdr& phdr) {
  constexpr uint64_t kPage = 4096;
  return phdr.p_type == PT_LOAD && phdr.p_filesz != 0 && phdr.p_vaddr == phdr.p_paddr && phdr.p_offset < kPage &&
         phdr.p_vaddr % kPage == phdr.p_offset;
}

}  // namespace

std::optional<std::string> SignOfUserProgram(const Elf64_Ehdr& ehdr, std::span<const Elf64_Phdr> phdrs) {
  const bool upper_half = std::any_of(phdrs.begin(), phdrs.end(), [](const Elf64_Phdr& phdr) {
    return phdr.p_type == PT_LOAD && phdr.p_vaddr >= kUpperHalf;
  });
  if (upper_half) return std::nullopt;
  if (ehdr.e_ident[EI_OSABI] == ELFOSABI_GNU) return "its EI_OSABI is ELFOSABI_GNU";
  for (const Elf64_Phdr& phdr : phdrs) {
    if (const char* const name = NameOfUserHeader(phdr.p_type); name != nullptr) {
      return absl::StrFormat("it has a %s", name);
    }
    if (MapsItsHeaders(phdr)) {
      return absl::StrFormat("its own headers lie in the page of its PT_LOAD at %#x", phdr.p_vaddr);
    }
  }
  return std::nullopt;
}

}  // namespace vmm
