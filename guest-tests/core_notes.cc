#include "guest-tests/core_notes.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <unistd.h>

#include <cstring>
#include <memory>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/unique_fd.h"

namespace vmm {
namespace {

// struct user_regs_struct, the pr_reg of an elf_prstatus.
constexpr const char* kUserRegs[] = {"r15",    "r14", "r13", "r12",     "rbp",     "rbx", "r11",      "r10", "r9",
                                     "r8",     "rax", "rcx", "rdx",     "rsi",     "rdi", "orig_rax", "rip", "cs",
                                     "eflags", "rsp", "ss",  "fs_base", "gs_base", "ds",  "es",       "fs",  "gs"};
constexpr size_t kPrPid = 32;
constexpr size_t kPrReg = 112;

// QEMU's struct QEMUCPUState (target/i386/arch_dump.c).
constexpr const char* kQemuRegs[] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", "r8",
                                     "r9",  "r10", "r11", "r12", "r13", "r14", "r15", "rip", "rflags"};
constexpr const char* kQemuSegments[] = {"cs", "ds", "es", "fs", "gs", "ss", "ldt", "tr", "gdt", "idt"};
constexpr const char* kQemuTail[] = {"cr0", "cr1", "cr2", "cr3", "cr4", "kernel_gs_base"};

// Little-endian numbers, one after the other.
class Reader {
 public:
  Reader(const char* data, size_t size) : data_(data), left_(size) {}

  template <typename T>
  T Take() {
    T value = 0;
    if (left_ < sizeof(T)) {
      left_ = 0;
      return value;
    }
    std::memcpy(&value, data_, sizeof(T));
    data_ += sizeof(T);
    left_ -= sizeof(T);
    return value;
  }

 private:
  const char* data_;
  size_t left_;
};

Registers ReadPrstatus(const char* desc, size_t size) {
  Registers registers;
  if (size < kPrReg) return registers;
  registers["pid"] = Reader(desc + kPrPid, 4).Take<uint32_t>();
  Reader reader(desc + kPrReg, size - kPrReg);
  for (const char* name : kUserRegs) registers[name] = reader.Take<uint64_t>();
  return registers;
}

Registers ReadQemu(const char* desc, size_t size) {
  Registers registers;
  Reader reader(desc, size);
  registers["version"] = reader.Take<uint32_t>();
  registers["size"] = reader.Take<uint32_t>();
  for (const char* name : kQemuRegs) registers[name] = reader.Take<uint64_t>();
  for (const std::string name : kQemuSegments) {
    registers[name] = reader.Take<uint32_t>();
    registers[name + "_limit"] = reader.Take<uint32_t>();
    registers[name + "_flags"] = reader.Take<uint32_t>();
    reader.Take<uint32_t>();
    registers[name + "_base"] = reader.Take<uint64_t>();
  }
  for (const char* name : kQemuTail) registers[name] = reader.Take<uint64_t>();
  return registers;
}

// An ELF file that libelf has opened.
class ElfFile {
 public:
  static absl::StatusOr<std::unique_ptr<ElfFile>> Open(const std::string& path) {
    UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return ErrnoStatus(errno, path);
    elf_version(EV_CURRENT);
    Elf* elf = elf_begin(fd.get(), ELF_C_READ, nullptr);
    if (elf == nullptr || elf_kind(elf) != ELF_K_ELF) return Error(path);
    return std::unique_ptr<ElfFile>(new ElfFile(std::move(fd), elf));
  }
  ~ElfFile() { elf_end(elf_); }

  static absl::Status Error(const std::string& path) {
    return absl::DataLossError(absl::StrFormat("%s: libelf: %s", path, elf_errmsg(-1)));
  }

  Elf* elf() const { return elf_; }
  int fd() const { return fd_.get(); }

  std::vector<GElf_Phdr> Segments() const {
    size_t count = 0;
    elf_getphdrnum(elf_, &count);
    std::vector<GElf_Phdr> segments(count);
    for (size_t i = 0; i < count; ++i) gelf_getphdr(elf_, static_cast<int>(i), &segments[i]);
    return segments;
  }

 private:
  ElfFile(UniqueFd fd, Elf* elf) : fd_(std::move(fd)), elf_(elf) {}

  UniqueFd fd_;
  Elf* elf_;
};

}  // namespace

absl::StatusOr<CoreNotes> ReadCoreNotes(const std::string& path) {
  ASSIGN_OR_RETURN(const std::unique_ptr<ElfFile> file, ElfFile::Open(path));
  CoreNotes notes;
  for (const GElf_Phdr& segment : file->Segments()) {
    if (segment.p_type != PT_NOTE) continue;
    Elf_Data* data =
        elf_getdata_rawchunk(file->elf(), static_cast<int64_t>(segment.p_offset), segment.p_filesz, ELF_T_NHDR);
    if (data == nullptr) return ElfFile::Error(path);
    GElf_Nhdr header;
    size_t name_at = 0, desc_at = 0;
    for (size_t at = 0; (at = gelf_getnote(data, at, &header, &name_at, &desc_at)) > 0;) {
      const char* bytes = static_cast<const char*>(data->d_buf);
      const std::string name(bytes + name_at, header.n_namesz > 0 ? header.n_namesz - 1 : 0);
      if (name == "CORE" && header.n_type == NT_PRSTATUS) {
        notes.prstatus.push_back(ReadPrstatus(bytes + desc_at, header.n_descsz));
      } else if (name == "QEMU") {
        notes.qemu.push_back(ReadQemu(bytes + desc_at, header.n_descsz));
      }
    }
  }
  return notes;
}

absl::StatusOr<std::string> ReadCoreMemory(const std::string& path, uint64_t address, uint64_t size) {
  ASSIGN_OR_RETURN(const std::unique_ptr<ElfFile> file, ElfFile::Open(path));
  for (const GElf_Phdr& segment : file->Segments()) {
    if (segment.p_type != PT_LOAD || address < segment.p_paddr) continue;
    const uint64_t at = address - segment.p_paddr;
    if (at >= segment.p_filesz || size > segment.p_filesz - at) continue;
    std::string bytes(size, '\0');
    const ssize_t count = pread(file->fd(), bytes.data(), size, static_cast<off_t>(segment.p_offset + at));
    if (count != static_cast<ssize_t>(size)) return absl::DataLossError(path + ": cut short");
    return bytes;
  }
  return absl::NotFoundError(absl::StrFormat("%s: no PT_LOAD has %d bytes at %#x", path, size, address));
}

absl::StatusOr<uint64_t> SymbolAddress(const std::string& path, const std::string& name) {
  ASSIGN_OR_RETURN(const std::unique_ptr<ElfFile> file, ElfFile::Open(path));
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(file->elf(), section)) != nullptr;) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_SYMTAB) continue;
    Elf_Data* data = elf_getdata(section, nullptr);
    GElf_Sym symbol;
    for (int i = 0; gelf_getsym(data, i, &symbol) != nullptr; ++i) {
      const char* found = elf_strptr(file->elf(), header.sh_link, symbol.st_name);
      if (found != nullptr && name == found) return symbol.st_value;
    }
  }
  return absl::NotFoundError(absl::StrFormat("%s: no symbol %s", path, name));
}

}  // namespace vmm
