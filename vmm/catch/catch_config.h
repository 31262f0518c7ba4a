// What a user wants caught, and what came of it.
#ifndef VMM_CATCH_CATCH_CONFIG_H_
#define VMM_CATCH_CATCH_CONFIG_H_

#include <memory>
#include <string>
#include <vector>

#include "dump/kernel/symbol_list.h"
#include "vmm/catch/catch_point.h"

namespace vmm {

struct CatchConfig {
  std::vector<CatchKind> kinds = {CatchKind::kPanic};  // empty: nothing is caught

  // Nobody asked for these kinds by name: a kernel that cannot have them is no reason for a warning.
  bool automatic = true;

  // Of a System.map or vmlinux, not yet moved by KASLR; null: those that the kernel has in its own memory.
  std::shared_ptr<const SymbolList> symbols;
};

struct CatchReport {
  std::vector<CatchPoint> points;  // where something was planted
  std::string why_none;            // empty where something was
};

}  // namespace vmm

#endif  // VMM_CATCH_CATCH_CONFIG_H_
