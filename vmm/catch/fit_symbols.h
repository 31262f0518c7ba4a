// Symbols from a file, held against the kernel that they shall be of.
#ifndef VMM_CATCH_FIT_SYMBOLS_H_
#define VMM_CATCH_FIT_SYMBOLS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "dump/kernel/kernel_memory.h"
#include "dump/kernel/symbol_list.h"

namespace vmm {

// `file`'s symbols, moved to where the image of `memory` is. InvalidArgument, with the check that failed, where they
// are another kernel's: its banner must stand at linux_banner, and its table of system calls must name the functions
// that the file says; the banner alone is at one place in many a build.
absl::StatusOr<std::unique_ptr<SymbolList>> FitSymbols(const SymbolList& file, const KernelMemory& memory);

}  // namespace vmm

#endif  // VMM_CATCH_FIT_SYMBOLS_H_
