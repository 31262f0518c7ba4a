// Reads the modules that a kernel has loaded (struct module), by BTF if the kernel has it.
#ifndef DUMP_KERNEL_MODULES_H_
#define DUMP_KERNEL_MODULES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/meter.h"
#include "dump/kernel/kernel_memory.h"
#include "dump/kernel/stack_frame.h"
#include "dump/kernel/struct_layout.h"
#include "dump/kernel/symbol_list.h"

namespace vmm {

struct Module {
  uint64_t address = 0;  // of its struct module
  std::string name;
  uint64_t base = 0;  // of its code, as in /proc/modules; 0: not found
  uint64_t size = 0;

  // Its code, and its init function's code while the module is being loaded. With ORC if BTF gives the tables' place.
  std::vector<CodeRegion> code;
};

inline constexpr size_t kMaxModules = kModulesBudget.steps;

// Returns the modules on the list whose head is at `list` (the symbol "modules"), most recently loaded first.
// `orc_layout` is the kernel's, which the modules' tables share; none if the kernel has no such tables. Without BTF,
// the base is a guess: the first pointer into the modules' address range with a size after it. An entry that cannot be
// read ends the list.
std::vector<Module> ReadModules(const KernelMemory& memory, const StructLayout& layout, uint64_t list,
                                std::optional<OrcLayout> orc_layout);

// Reads a module's symbols from the ELF symbol table that the kernel keeps for it. NotFound without BTF. `meter` pays
// for the symbols and their names. It should be the same for all modules: they may be made to share one huge table.
// ResourceExhausted once it is spent.
absl::StatusOr<std::unique_ptr<SymbolList>> ReadModuleSymbols(const KernelMemory& memory, const StructLayout& layout,
                                                              const Module& module, Meter& meter);

}  // namespace vmm

#endif  // DUMP_KERNEL_MODULES_H_
