// Checks that symbols from a file belong to the kernel in memory, and moves them to where that kernel is.
#ifndef VMM_CATCH_FIT_SYMBOLS_H_
#define VMM_CATCH_FIT_SYMBOLS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "dump/kernel/kernel_memory.h"
#include "dump/kernel/symbol_list.h"

namespace vmm {

// Returns `file`'s symbols, moved to where the image of `memory` is. If they belong to another kernel, returns
// InvalidArgument and names the check that failed. The kernel's banner must be at linux_banner, and the first entry of
// its system call table must be the function that the file names. The banner alone is not enough, because many builds
// have it at the same address.
absl::StatusOr<std::unique_ptr<SymbolList>> FitSymbols(const SymbolList& file, const KernelMemory& memory);

}  // namespace vmm

#endif  // VMM_CATCH_FIT_SYMBOLS_H_
