#include "dump/kernel/elf_symbols.h"

#include <elf.h>
#include <gelf.h>
#include <libelf.h>

#include <memory>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

// The type as `nm` prints it, as far as it matters here: T code, D data, lower case if local.
char TypeOf(const GElf_Sym& symbol) {
  const bool local = GELF_ST_BIND(symbol.st_info) == STB_LOCAL;
  if (symbol.st_shndx == SHN_ABS) return local ? 'a' : 'A';
  if (GELF_ST_BIND(symbol.st_info) == STB_WEAK) return 'W';
  const bool code = GELF_ST_TYPE(symbol.st_info) == STT_FUNC;
  return local ? (code ? 't' : 'd') : (code ? 'T' : 'D');
}

// libelf reads a table whole. A vmlinux of Debian's 6.1 has a table of 4 MB, and 6 MB of names.
constexpr uint64_t kMaxTable = 1ull << 30;

absl::Status CheckTableSize(const GElf_Shdr& section) {
  if (section.sh_size <= kMaxTable) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("its symbol table has %d bytes, more than the limit of %d", section.sh_size, kMaxTable));
}

}  // namespace

absl::StatusOr<std::vector<Symbol>> ReadElfSymbols(const InputFile& file) {
  elf_version(EV_CURRENT);
  // Not ELF_C_READ_MMAP: if a mapped file shrinks, reading it raises SIGBUS.
  const std::unique_ptr<Elf, int (*)(Elf*)> elf(elf_begin(file.fd(), ELF_C_READ, nullptr), elf_end);
  if (elf == nullptr || elf_kind(elf.get()) != ELF_K_ELF) return absl::InvalidArgumentError("it is no ELF file");
  std::vector<Symbol> symbols;
  for (Elf_Scn* section = elf_nextscn(elf.get(), nullptr); section != nullptr;
       section = elf_nextscn(elf.get(), section)) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_SYMTAB || header.sh_entsize == 0) continue;
    RETURN_IF_ERROR(CheckTableSize(header));
    GElf_Shdr strings;
    if (gelf_getshdr(elf_getscn(elf.get(), header.sh_link), &strings) != nullptr) {
      RETURN_IF_ERROR(CheckTableSize(strings));
    }
    Elf_Data* const data = elf_getdata(section, nullptr);
    if (data == nullptr) continue;
    for (size_t i = 0; i < data->d_size / header.sh_entsize; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) break;
      const int type = GELF_ST_TYPE(symbol.st_info);
      if (type == STT_FILE || type == STT_SECTION || symbol.st_shndx == SHN_UNDEF) continue;
      const char* const name = elf_strptr(elf.get(), header.sh_link, symbol.st_name);
      if (name == nullptr || *name == '\0') continue;
      symbols.push_back({symbol.st_value, TypeOf(symbol), name});
    }
  }
  if (symbols.empty()) return absl::InvalidArgumentError("it has no symbol table");
  return symbols;
}

}  // namespace vmm
