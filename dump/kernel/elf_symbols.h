// Reads the symbol table of an ELF file, usually a vmlinux.
#ifndef DUMP_KERNEL_ELF_SYMBOLS_H_
#define DUMP_KERNEL_ELF_SYMBOLS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/input_file.h"
#include "dump/kernel/kernel_symbols.h"

namespace vmm {

// Returns all named functions and objects of the .symtab, in the file's order. InvalidArgument if `file` is not ELF or
// has no .symtab (a stripped vmlinux has none), or if a table is larger than 1 GiB.
absl::StatusOr<std::vector<Symbol>> ReadElfSymbols(const InputFile& file);

}  // namespace vmm

#endif  // DUMP_KERNEL_ELF_SYMBOLS_H_
