// The modules that a kernel has loaded: struct module, by BTF where the kernel has it.
#ifndef DUMP_KERNEL_MODULES_H_
#define DUMP_KERNEL_MODULES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/kernel/kernel_memory.h"
#include "dump/kernel/stack_frame.h"
#include "dump/kernel/struct_layout.h"
#include "dump/kernel/symbol_list.h"

namespace vmm {

struct Module {
  uint64_t address = 0;  // of its struct module
  std::string name;
  uint64_t base = 0;  // of its code, as /proc/modules has it; 0 where it could not be told
  uint64_t size = 0;

  // Its code; that of its init function too while it is being loaded. With ORC where BTF tells where that is.
  std::vector<CodeRegion> code;
};

inline constexpr size_t kMaxModules = 4096;

// The modules on the list whose head is at `list` (the symbol "modules"), most recently loaded first.
// `orc_layout` is the kernel's, which the modules' tables share; none where it has no such tables. Without BTF the
// base is found by its looks: the first pointer into the range for modules with a size behind it. What cannot be
// read ends the list.
std::vector<Module> ReadModules(const KernelMemory& memory, const StructLayout& layout, uint64_t list,
                                std::optional<OrcLayout> orc_layout);

// The symbols of a module, from the ELF symbol table that the kernel keeps of it. NotFound without BTF.
absl::StatusOr<std::unique_ptr<SymbolList>> ReadModuleSymbols(const KernelMemory& memory, const StructLayout& layout,
                                                              const Module& module);

}  // namespace vmm

#endif  // DUMP_KERNEL_MODULES_H_
