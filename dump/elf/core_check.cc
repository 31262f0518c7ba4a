#include "dump/elf/core_check.h"

#include <gelf.h>
#include <libelf.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

struct ElfCloser {
  void operator()(Elf* elf) const { elf_end(elf); }
};

absl::Status Differs(const std::string& what) { return absl::DataLossError(absl::StrFormat("read back: %s", what)); }

absl::Status LibelfError(std::string_view what) {
  return Differs(absl::StrFormat("%s: libelf says: %s", what, elf_errmsg(-1)));
}

absl::Status CheckFileHeader(Elf* elf, const CoreLayout& layout) {
  GElf_Ehdr ehdr;
  if (gelf_getehdr(elf, &ehdr) == nullptr) return LibelfError("ELF header");
  if (ehdr.e_type != ET_CORE || ehdr.e_machine != EM_X86_64 || ehdr.e_phoff != sizeof(Elf64_Ehdr)) {
    return Differs("the file is no x86_64 core with its program headers at 64");
  }
  size_t phnum = 0;
  if (elf_getphdrnum(elf, &phnum) != 0) return LibelfError("program headers");
  if (phnum != layout.phdrs.size()) {
    return Differs(absl::StrFormat("%d program headers, planned were %d", phnum, layout.phdrs.size()));
  }
  return absl::OkStatus();
}

absl::Status CheckProgramHeaders(Elf* elf, const CoreLayout& layout, uint64_t file_size) {
  for (size_t i = 0; i < layout.phdrs.size(); ++i) {
    const Elf64_Phdr& planned = layout.phdrs[i];
    GElf_Phdr found;
    if (gelf_getphdr(elf, static_cast<int>(i), &found) == nullptr) return LibelfError("program header");
    if (std::memcmp(&found, &planned, sizeof(planned)) != 0) {
      return Differs(absl::StrFormat("program header %d (p_vaddr %#x) is not the planned one", i, planned.p_vaddr));
    }
    if (i + layout.missing >= layout.phdrs.size()) continue;  // none of its bytes are in the file
    if (found.p_filesz > file_size || found.p_offset > file_size - found.p_filesz) {
      return Differs(absl::StrFormat("program header %d ends past the file's end at %d", i, file_size));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckNotes(Elf* elf, const CoreLayout& layout) {
  const Elf64_Phdr& segment = layout.phdrs[0];
  Elf_Data* data = elf_getdata_rawchunk(elf, static_cast<int64_t>(segment.p_offset), segment.p_filesz, ELF_T_NHDR);
  if (data == nullptr) return LibelfError("notes");
  size_t offset = 0;
  for (const CoreNote& planned : layout.notes) {
    GElf_Nhdr found;
    size_t name = 0, desc = 0;
    offset = gelf_getnote(data, offset, &found, &name, &desc);
    if (offset == 0) return LibelfError(absl::StrFormat("note %s", planned.name));
    const char* bytes = static_cast<const char*>(data->d_buf);
    const std::string_view name_with_nul(planned.name.c_str(), planned.name.size() + 1);
    if (found.n_type != planned.type || found.n_namesz != name_with_nul.size() ||
        name_with_nul != std::string_view(bytes + name, name_with_nul.size()) ||
        planned.desc != std::string_view(bytes + desc, found.n_descsz)) {
      return Differs(absl::StrFormat("note %s is not the planned one", planned.name));
    }
  }
  if (offset != segment.p_filesz) return Differs("there are more notes than planned");
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckCore(int fd, const CoreLayout& layout) {
  struct stat file = {};
  if (fstat(fd, &file) != 0) return ErrnoStatus(errno, "read back: fstat");
  const uint64_t file_size = static_cast<uint64_t>(file.st_size);
  if (file_size != layout.file_size) {
    return Differs(absl::StrFormat("the file has %d bytes, planned were %d", file_size, layout.file_size));
  }
  elf_version(EV_CURRENT);
  const std::unique_ptr<Elf, ElfCloser> elf(elf_begin(fd, ELF_C_READ, nullptr));
  if (elf == nullptr || elf_kind(elf.get()) != ELF_K_ELF) return LibelfError("open");
  RETURN_IF_ERROR(CheckFileHeader(elf.get(), layout));
  RETURN_IF_ERROR(CheckProgramHeaders(elf.get(), layout, file_size));
  return CheckNotes(elf.get(), layout);
}

}  // namespace vmm
