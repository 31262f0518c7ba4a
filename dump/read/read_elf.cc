#include "dump/read/read_elf.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "dump/abi/elf_core_abi.h"
#include "dump/read/file_kind.h"
#include "dump/read/file_memory_map.h"

namespace vmm {
namespace {

constexpr uint64_t kMaxPhysical = 1ull << 52;
constexpr size_t kMaxFaults = 100;

// A file that should be longer than this was not cut: the number is wrong.
constexpr uint64_t kMaxFileSize = 1ull << 56;

// Fails unless `part`, which is `size` bytes at `offset`, is there. Nothing can be read without it.
absl::Status CheckRoom(const ByteSource& source, std::string_view part, uint64_t offset, uint64_t size) {
  if (source.Available(offset, size) == size) return absl::OkStatus();
  if (source.cut_short().has_value()) return CutShortError(*source.cut_short());
  uint64_t end = 0;
  if (CheckedAdd(offset, size, &end) && end <= kMaxFileSize) {
    return CutShortError(EndsEarly(part, end, source.size(), /*at_least=*/true));
  }
  return absl::DataLossError(absl::StrFormat("%s at %#x ends past the file's end at %#x", part, offset, source.size()));
}

// Errors about the whole file name its path.
struct Named {
  const ByteSource& source;
  const std::string& path;
};

absl::Status Refuse(const Named& file, const std::string& why) {
  return absl::InvalidArgumentError(absl::StrFormat("%s: %s", file.path, why));
}

template <typename T>
absl::StatusOr<T> ReadStruct(const ByteSource& source, std::string_view part, uint64_t offset) {
  T object;
  RETURN_IF_ERROR(CheckRoom(source, part, offset, sizeof(object)));
  RETURN_IF_ERROR(source.ReadAt(offset, {reinterpret_cast<uint8_t*>(&object), sizeof(object)}));
  return object;
}

absl::Status CheckHeader(const Named& file, const Elf64_Ehdr& ehdr) {
  if (std::memcmp(ehdr.e_ident, ELFMAG, SELFMAG) != 0) return Refuse(file, "no ELF file");
  if (const std::string other = NameOtherElf(ehdr); !other.empty()) return Refuse(file, other);
  if (ehdr.e_phnum == 0) return Refuse(file, "an ELF core without program headers");
  if (ehdr.e_phentsize != sizeof(Elf64_Phdr)) {
    return Refuse(file, absl::StrFormat("e_phentsize is %d, not %d", ehdr.e_phentsize, sizeof(Elf64_Phdr)));
  }
  return absl::OkStatus();
}

// With PN_XNUM the count is in section header 0.
absl::StatusOr<uint64_t> CountProgramHeaders(const Named& file, const Elf64_Ehdr& ehdr) {
  if (ehdr.e_phnum != PN_XNUM) return ehdr.e_phnum;
  if (ehdr.e_shoff == 0) {
    return Refuse(file, "e_phnum is 0xffff (PN_XNUM), but there is no section header 0 to hold the true number");
  }
  ASSIGN_OR_RETURN(const Elf64_Shdr shdr,
                   ReadStruct<Elf64_Shdr>(file.source, "section header 0, for PN_XNUM,", ehdr.e_shoff));
  if (shdr.sh_info == 0) return Refuse(file, "PN_XNUM, but sh_info of section header 0 says 0 program headers");
  return shdr.sh_info;
}

absl::StatusOr<std::vector<Elf64_Phdr>> ReadProgramHeaders(const Named& file, const Elf64_Ehdr& ehdr) {
  ASSIGN_OR_RETURN(const uint64_t count, CountProgramHeaders(file, ehdr));
  if (count > kMaxProgramHeaders) {
    return Refuse(file, absl::StrFormat("%d program headers, more than the limit of %d", count, kMaxProgramHeaders));
  }
  RETURN_IF_ERROR(CheckRoom(file.source, "program headers", ehdr.e_phoff, count * sizeof(Elf64_Phdr)));
  std::vector<Elf64_Phdr> phdrs(count);
  RETURN_IF_ERROR(
      file.source.ReadAt(ehdr.e_phoff, {reinterpret_cast<uint8_t*>(phdrs.data()), count * sizeof(Elf64_Phdr)}));
  return phdrs;
}

class ElfReader {
 public:
  ElfReader(std::shared_ptr<const ByteSource> source, const std::string& path)
      : source_(std::move(source)), path_(path) {}

  absl::StatusOr<VmcoreContents> Read() {
    const Named file{*source_, path_};
    ASSIGN_OR_RETURN(const Elf64_Ehdr ehdr, ReadStruct<Elf64_Ehdr>(*source_, "ELF header", 0));
    RETURN_IF_ERROR(CheckHeader(file, ehdr));
    ASSIGN_OR_RETURN(std::vector<Elf64_Phdr> phdrs, ReadProgramHeaders(file, ehdr));
    for (size_t i = 0; i < phdrs.size(); ++i) {
      if (phdrs[i].p_type == PT_NOTE) RETURN_IF_ERROR(AddNotes(i, phdrs[i]));
      if (phdrs[i].p_type == PT_LOAD) AddLoad(i, phdrs[i]);
    }
    if (const std::string process = NameProcessCore(contents_.notes, phdrs); !process.empty()) {
      return Refuse(file, process);
    }
    ASSIGN_OR_RETURN(std::unique_ptr<FileMemoryMap> memory, FileMemoryMap::Create(source_, path_, pieces_));
    contents_.missing_ram = memory->Missing();
    contents_.memory = std::move(memory);
    contents_.cut_short = FindCut(ehdr);
    if (source_->flattened()) contents_.facts = {{"flattened", "yes"}};
    contents_.elf = ElfHeaders{ehdr, std::move(phdrs)};
    return std::move(contents_);
  }

 private:
  void Fault(const std::string& rule, size_t phdr, const std::string& what) {
    if (contents_.faults.size() < kMaxFaults) {
      contents_.faults.push_back({rule, absl::StrFormat("program header %d: %s", phdr, what)});
    }
  }

  // Notes that the file should hold `part`, `size` bytes at `offset`.
  void Promise(std::string_view part, uint64_t offset, uint64_t size) {
    uint64_t end = 0;
    if (!CheckedAdd(offset, size, &end) || end > kMaxFileSize || end <= promised_) return;
    promised_ = end;
    last_part_ = part;
  }

  std::optional<CutShort> FindCut(const Elf64_Ehdr& ehdr) const {
    if (std::optional<CutShort> cut = source_->cut_short(); cut.has_value()) {
      if (promised_ > source_->stored_bytes()) {
        const double missing = static_cast<double>(promised_ - source_->stored_bytes());
        cut->missing = 100 * missing / static_cast<double>(promised_);
      }
      return cut;
    }
    if (promised_ > source_->size()) return EndsEarly(last_part_, promised_, source_->size());
    if ((ehdr.e_flags & kElfIncomplete) != 0) {
      return CutShort{"its header marks it as incomplete: whoever wrote it ran out of space or of input", {}};
    }
    return std::nullopt;
  }

  absl::Status AddNotes(size_t index, const Elf64_Phdr& phdr) {
    const uint64_t available = source_->Available(phdr.p_offset, phdr.p_filesz);
    Promise("notes", phdr.p_offset, phdr.p_filesz);
    const uint64_t size = std::min({uint64_t{phdr.p_filesz}, available, kMaxNoteBytes - note_bytes_});
    if (size < phdr.p_filesz) {
      Fault("truncated", index,
            absl::StrFormat("its %d bytes of notes are past the file's end or more than %d in all", phdr.p_filesz,
                            kMaxNoteBytes));
    }
    note_bytes_ += size;
    std::vector<uint8_t> bytes(size);
    if (size != 0) RETURN_IF_ERROR(source_->ReadAt(phdr.p_offset, bytes));
    ParsedNotes parsed = ParseNotes(bytes, phdr.p_offset);
    if (!parsed.fault.empty()) Fault("notes-damaged", index, parsed.fault);
    if (contents_.notes.size() + parsed.notes.size() > kMaxNotes) {
      return Refuse({*source_, path_}, absl::StrFormat("more than %d notes", kMaxNotes));
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
    const uint64_t available = source_->Available(phdr.p_offset, phdr.p_filesz);
    Promise("RAM", phdr.p_offset, phdr.p_filesz);
    if (phdr.p_filesz > available) {
      Fault("truncated", index,
            absl::StrFormat("its %d bytes at offset %#x end past the file's end at %#x: %d are missing", phdr.p_filesz,
                            phdr.p_offset, source_->size(), phdr.p_filesz - available));
    }
    pieces_.push_back({{GuestAddr{phdr.p_paddr}, size}, phdr.p_offset, phdr.p_filesz});
  }

  const std::shared_ptr<const ByteSource> source_;
  const std::string& path_;
  VmcoreContents contents_;
  std::vector<FilePiece> pieces_;
  uint64_t note_bytes_ = 0;
  uint64_t promised_ = 0;  // end of the part that reaches furthest
  std::string_view last_part_;
};

}  // namespace

absl::StatusOr<VmcoreContents> ReadElf(std::shared_ptr<const ByteSource> source, const std::string& path) {
  return ElfReader(std::move(source), path).Read();
}

}  // namespace vmm
