// The symbol table of an ELF file, a vmlinux most of all.
#ifndef DUMP_KERNEL_ELF_SYMBOLS_H_
#define DUMP_KERNEL_ELF_SYMBOLS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/kernel/kernel_symbols.h"

namespace vmm {

// All named functions and objects of the .symtab, in the file's order. InvalidArgument where the file
// is no ELF file with one (a stripped vmlinux has none).
absl::StatusOr<std::vector<Symbol>> ReadElfSymbols(const std::string& path);

}  // namespace vmm

#endif  // DUMP_KERNEL_ELF_SYMBOLS_H_
