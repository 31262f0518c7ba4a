// What to catch, as the user asked for it (CatchConfig), and what could be planted (CatchReport).
#ifndef VMM_CATCH_CATCH_CONFIG_H_
#define VMM_CATCH_CATCH_CONFIG_H_

#include <memory>
#include <string>
#include <vector>

#include "dump/kernel/symbol_list.h"
#include "vmm/catch/catch_point.h"

namespace vmm {

struct CatchConfig {
  std::vector<CatchKind> kinds = {CatchKind::kPanic};  // empty: catch nothing

  // True if nobody asked for these kinds by name. Then a kernel that cannot have them is no reason for a warning.
  bool automatic = true;

  // Symbols from a System.map or vmlinux, not yet moved by KASLR. Null: use the symbols in the kernel's own memory.
  std::shared_ptr<const SymbolList> symbols;
};

struct CatchReport {
  std::vector<CatchPoint> points;  // the planted instructions
  std::string why_none;            // why nothing was planted; empty if something was
};

}  // namespace vmm

#endif  // VMM_CATCH_CATCH_CONFIG_H_
