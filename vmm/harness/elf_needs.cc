#include "vmm/harness/elf_needs.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status.h"
#include "vmm/boot/machine_names.h"

namespace vmm {
namespace {

constexpr size_t kMaxHeaders = 128;          // program headers
constexpr uint64_t kMaxDynamic = 64 << 10;   // bytes of the dynamic section
constexpr uint64_t kMaxStrings = 512 << 10;  // bytes of its strings that are read
constexpr size_t kMaxNeeded = 1024;
constexpr uint64_t kMaxInterpreter = 4096;

absl::Status Bad(std::string message) { return absl::InvalidArgumentError(message); }

template <typename T>
absl::StatusOr<T> ReadObject(const InputFile& file, uint64_t offset) {
  T object;
  RETURN_IF_ERROR(file.Read(offset, WritableBytesOf(object)));
  return object;
}

absl::Status CheckKind(const Elf64_Ehdr& header) {
  if (header.e_ident[EI_CLASS] != ELFCLASS64) return Bad("a 32-bit ELF file: the guest is given 64-bit programs only");
  if (header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_X86_64) {
    return Bad(
        absl::StrFormat("an ELF file for %s: the guest's processor is x86-64", ElfMachineName(header.e_machine)));
  }
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN) {
    return Bad(absl::StrFormat("an ELF file that is neither a program nor a library (e_type %d)", header.e_type));
  }
  if (header.e_phentsize != sizeof(Elf64_Phdr)) {
    return Bad(absl::StrFormat("damaged ELF file: e_phentsize is %d, not %d", header.e_phentsize, sizeof(Elf64_Phdr)));
  }
  if (header.e_phnum > kMaxHeaders) {
    return Bad(absl::StrFormat("an ELF file with %d program headers; the limit is %d", header.e_phnum, kMaxHeaders));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Elf64_Phdr>> ReadProgramHeaders(const InputFile& file) {
  if (file.size() < sizeof(Elf64_Ehdr)) return Bad("an ELF file that is cut off in its header");
  ASSIGN_OR_RETURN(const auto header, ReadObject<Elf64_Ehdr>(file, 0));
  RETURN_IF_ERROR(CheckKind(header));
  std::vector<Elf64_Phdr> headers(header.e_phnum);
  const uint64_t size = headers.size() * sizeof(Elf64_Phdr);
  if (header.e_phoff > file.size() || size > file.size() - header.e_phoff) {
    return Bad(absl::StrFormat("damaged ELF file: program headers at %#x, after the file's %d bytes",
                               uint64_t{header.e_phoff}, file.size()));
  }
  RETURN_IF_ERROR(file.Read(header.e_phoff, {reinterpret_cast<uint8_t*>(headers.data()), size}));
  return headers;
}

// Returns the file's bytes of a segment, or an error if there are more than `most`, or not so many in the file.
absl::StatusOr<std::string> ReadPart(const InputFile& file, uint64_t offset, uint64_t size, uint64_t most,
                                     std::string_view what) {
  if (size > most) return Bad(absl::StrFormat("damaged ELF file: %s has %d bytes; the limit is %d", what, size, most));
  if (offset > file.size() || size > file.size() - offset) {
    return Bad(absl::StrFormat("damaged ELF file: %s is at %#x, after the file's %d bytes", what, offset, file.size()));
  }
  std::string bytes(size, '\0');
  RETURN_IF_ERROR(file.Read(offset, {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()}));
  return bytes;
}

// The place in the file of the virtual address `vaddr`, and the bytes from there to the end of its segment.
struct FilePlace {
  uint64_t offset = 0;
  uint64_t left = 0;
};
std::optional<FilePlace> PlaceOf(std::span<const Elf64_Phdr> headers, uint64_t vaddr) {
  for (const Elf64_Phdr& header : headers) {
    if (header.p_type != PT_LOAD || vaddr < header.p_vaddr || vaddr - header.p_vaddr >= header.p_filesz) continue;
    const uint64_t inside = vaddr - header.p_vaddr;
    if (inside > ~uint64_t{0} - header.p_offset) return std::nullopt;
    return FilePlace{header.p_offset + inside, header.p_filesz - inside};
  }
  return std::nullopt;
}

// The strings of a dynamic section, by their offset.
class Strings {
 public:
  explicit Strings(std::string bytes) : bytes_(std::move(bytes)) {}

  absl::StatusOr<std::string> At(uint64_t offset) const {
    const size_t end = offset < bytes_.size() ? bytes_.find('\0', offset) : std::string::npos;
    if (end == std::string::npos) {
      return Bad(
          absl::StrFormat("damaged ELF file: a name at %#x of the %d bytes of DT_STRTAB", offset, bytes_.size()));
    }
    return bytes_.substr(offset, end - offset);
  }

 private:
  std::string bytes_;
};

absl::StatusOr<Strings> ReadStrings(const InputFile& file, std::span<const Elf64_Phdr> headers,
                                    std::span<const Elf64_Dyn> entries) {
  uint64_t address = 0;
  uint64_t size = 0;
  for (const Elf64_Dyn& entry : entries) {
    if (entry.d_tag == DT_STRTAB) address = entry.d_un.d_ptr;
    if (entry.d_tag == DT_STRSZ) size = entry.d_un.d_val;
  }
  const std::optional<FilePlace> place = PlaceOf(headers, address);
  if (!place.has_value()) return Bad(absl::StrFormat("damaged ELF file: DT_STRTAB %#x is in no segment", address));
  ASSIGN_OR_RETURN(std::string bytes,
                   ReadPart(file, place->offset, std::min({size, place->left, kMaxStrings}), kMaxStrings, "DT_STRTAB"));
  return Strings(std::move(bytes));
}

absl::Status ReadDynamic(const InputFile& file, std::span<const Elf64_Phdr> headers, const Elf64_Phdr& dynamic,
                         ElfNeeds& needs) {
  ASSIGN_OR_RETURN(const std::string bytes,
                   ReadPart(file, dynamic.p_offset, dynamic.p_filesz, kMaxDynamic, "the dynamic section"));
  std::vector<Elf64_Dyn> entries(bytes.size() / sizeof(Elf64_Dyn));
  std::memcpy(entries.data(), bytes.data(), entries.size() * sizeof(Elf64_Dyn));
  const auto end = std::ranges::find(entries, DT_NULL, &Elf64_Dyn::d_tag);
  entries.erase(end, entries.end());
  const bool names = std::ranges::any_of(entries, [](const Elf64_Dyn& entry) {
    return entry.d_tag == DT_NEEDED || entry.d_tag == DT_RPATH || entry.d_tag == DT_RUNPATH || entry.d_tag == DT_SONAME;
  });
  if (!names) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Strings strings, ReadStrings(file, headers, entries));
  for (const Elf64_Dyn& entry : entries) {
    std::string* single = nullptr;
    switch (entry.d_tag) {
      case DT_NEEDED: break;
      case DT_RPATH: single = &needs.rpath; break;
      case DT_RUNPATH: single = &needs.runpath; break;
      case DT_SONAME: single = &needs.soname; break;
      default: continue;
    }
    ASSIGN_OR_RETURN(std::string text, strings.At(entry.d_un.d_val));
    if (single != nullptr) {
      *single = std::move(text);
    } else {
      needs.needed.push_back(std::move(text));
    }
    if (needs.needed.size() > kMaxNeeded) {
      return Bad(absl::StrFormat("an ELF file that needs more than %d libraries", kMaxNeeded));
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool LooksLikeElf(const InputFile& file) {
  std::array<uint8_t, SELFMAG> magic{};
  return file.size() >= magic.size() && file.Read(0, magic).ok() && std::memcmp(magic.data(), ELFMAG, SELFMAG) == 0;
}

absl::StatusOr<ElfNeeds> ReadElfNeeds(const InputFile& file) {
  ASSIGN_OR_RETURN(const std::vector<Elf64_Phdr> headers, ReadProgramHeaders(file));
  ElfNeeds needs;
  for (const Elf64_Phdr& header : headers) {
    if (header.p_type == PT_INTERP) {
      ASSIGN_OR_RETURN(needs.interpreter,
                       ReadPart(file, header.p_offset, header.p_filesz, kMaxInterpreter, "PT_INTERP"));
      needs.interpreter = needs.interpreter.c_str();  // up to its NUL
    }
    if (header.p_type == PT_DYNAMIC) RETURN_IF_ERROR(ReadDynamic(file, headers, header, needs));
  }
  return needs;
}

}  // namespace vmm
