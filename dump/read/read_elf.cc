#include "dump/read/read_elf.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "dump/read/file_kind.h"
#include "dump/read/file_memory_map.h"

namespace vmm {
namespace {

constexpr uint64_t kMaxPhysical = 1ull << 52;
constexpr size_t kMaxFaults = 100;

template <typename T>
absl::StatusOr<T> ReadStruct(const CoreFile& file, uint64_t offset) {
  T object;
  RETURN_IF_ERROR(file.ReadAt(offset, {reinterpret_cast<uint8_t*>(&object), sizeof(object)}));
  return object;
}

absl::Status Refuse(const CoreFile& file, const std::string& why) {
  return absl::InvalidArgumentError(absl::StrFormat("%s: %s", file.path(), why));
}

absl::Status CheckHeader(const CoreFile& file, const Elf64_Ehdr& ehdr) {
  if (std::memcmp(ehdr.e_ident, ELFMAG, SELFMAG) != 0) return Refuse(file, "no ELF file");
  if (const std::string other = NameOtherElf(ehdr); !other.empty()) return Refuse(file, other);
  if (ehdr.e_phnum == 0) return Refuse(file, "an ELF core without program headers");
  if (ehdr.e_phentsize != sizeof(Elf64_Phdr)) {
    return Refuse(file, absl::StrFormat("e_phentsize is %d, not %d", ehdr.e_phentsize, sizeof(Elf64_Phdr)));
  }
  return absl::OkStatus();
}

// Behind PN_XNUM the count stands in section header 0.
absl::StatusOr<uint64_t> CountProgramHeaders(const CoreFile& file, const Elf64_Ehdr& ehdr) {
  if (ehdr.e_phnum != PN_XNUM) return ehdr.e_phnum;
  if (ehdr.e_shoff == 0) {
    return Refuse(file, "e_phnum is 0xffff (PN_XNUM), but there is no section header 0 to hold the true number");
  }
  ASSIGN_OR_RETURN(const Elf64_Shdr shdr,
                   Annotate(ReadStruct<Elf64_Shdr>(file, ehdr.e_shoff), "section header 0, for PN_XNUM"));
  if (shdr.sh_info == 0) return Refuse(file, "PN_XNUM, but sh_info of section header 0 says 0 program headers");
  return shdr.sh_info;
}

absl::StatusOr<std::vector<Elf64_Phdr>> ReadProgramHeaders(const CoreFile& file, const Elf64_Ehdr& ehdr) {
  ASSIGN_OR_RETURN(const uint64_t count, CountProgramHeaders(file, ehdr));
  if (count > kMaxProgramHeaders) {
    return Refuse(file, absl::StrFormat("%d program headers, more than the limit of %d", count, kMaxProgramHeaders));
  }
  if (ehdr.e_phoff > file.size() || count * sizeof(Elf64_Phdr) > file.size() - ehdr.e_phoff) {
    return absl::DataLossError(absl::StrFormat("%s: %d program headers at %#x end past the file's end at %#x",
                                               file.path(), count, ehdr.e_phoff, file.size()));
  }
  std::vector<Elf64_Phdr> phdrs(count);
  RETURN_IF_ERROR(file.ReadAt(ehdr.e_phoff, {reinterpret_cast<uint8_t*>(phdrs.data()), count * sizeof(Elf64_Phdr)}));
  return phdrs;
}

class ElfReader {
 public:
  explicit ElfReader(const CoreFile& file) : file_(file) {}

  absl::StatusOr<VmcoreContents> Read() {
    ASSIGN_OR_RETURN(const Elf64_Ehdr ehdr, ReadStruct<Elf64_Ehdr>(file_, 0));
    RETURN_IF_ERROR(CheckHeader(file_, ehdr));
    ASSIGN_OR_RETURN(std::vector<Elf64_Phdr> phdrs, ReadProgramHeaders(file_, ehdr));
    for (size_t i = 0; i < phdrs.size(); ++i) {
      if (phdrs[i].p_type == PT_NOTE) RETURN_IF_ERROR(AddNotes(i, phdrs[i]));
      if (phdrs[i].p_type == PT_LOAD) AddLoad(i, phdrs[i]);
    }
    if (const std::string process = NameProcessCore(contents_.notes, phdrs); !process.empty()) {
      return Refuse(file_, process);
    }
    ASSIGN_OR_RETURN(contents_.memory, FileMemoryMap::Create(file_, pieces_));
    contents_.elf = ElfHeaders{ehdr, std::move(phdrs)};
    return std::move(contents_);
  }

 private:
  void Fault(const std::string& rule, size_t phdr, const std::string& what) {
    if (contents_.faults.size() < kMaxFaults) {
      contents_.faults.push_back({rule, absl::StrFormat("program header %d: %s", phdr, what)});
    }
  }

  absl::Status AddNotes(size_t index, const Elf64_Phdr& phdr) {
    const uint64_t available = phdr.p_offset < file_.size() ? file_.size() - phdr.p_offset : 0;
    const uint64_t size = std::min({uint64_t{phdr.p_filesz}, available, kMaxNoteBytes - note_bytes_});
    if (size < phdr.p_filesz) {
      Fault("truncated", index,
            absl::StrFormat("its %d bytes of notes are past the file's end or more than %d in all", phdr.p_filesz,
                            kMaxNoteBytes));
    }
    note_bytes_ += size;
    std::vector<uint8_t> bytes(size);
    RETURN_IF_ERROR(file_.ReadAt(std::min<uint64_t>(phdr.p_offset, file_.size()), bytes));
    ParsedNotes parsed = ParseNotes(bytes, phdr.p_offset);
    if (!parsed.fault.empty()) Fault("notes-damaged", index, parsed.fault);
    if (contents_.notes.size() + parsed.notes.size() > kMaxNotes) {
      return Refuse(file_, absl::StrFormat("more than %d notes", kMaxNotes));
    }
    std::move(parsed.notes.begin(), parsed.notes.end(), std::back_inserter(contents_.notes));
    return absl::OkStatus();
  }

  void AddLoad(size_t index, const Elf64_Phdr& phdr) {
    constexpr uint64_t kNoPhysical = ~0ull;
    if (phdr.p_paddr == kNoPhysical || phdr.p_memsz == 0) return;
    const uint64_t size = std::max(phdr.p_memsz, phdr.p_filesz);
    if (phdr.p_paddr > kMaxPhysical || size > kMaxPhysical - phdr.p_paddr) {
      Fault("p_paddr", index, absl::StrFormat("no physical memory lies at %#x..+%#x", phdr.p_paddr, size));
      return;
    }
    const uint64_t available = phdr.p_offset < file_.size() ? file_.size() - phdr.p_offset : 0;
    if (phdr.p_filesz > available) {
      Fault("truncated", index,
            absl::StrFormat("its %d bytes at offset %#x end past the file's end at %#x: %d are missing", phdr.p_filesz,
                            phdr.p_offset, file_.size(), phdr.p_filesz - available));
    }
    pieces_.push_back({{GuestAddr{phdr.p_paddr}, size}, phdr.p_offset, phdr.p_filesz});
  }

  const CoreFile& file_;
  VmcoreContents contents_;
  std::vector<FilePiece> pieces_;
  uint64_t note_bytes_ = 0;
};

}  // namespace

absl::StatusOr<VmcoreContents> ReadElf(const CoreFile& file) { return ElfReader(file).Read(); }

}  // namespace vmm
