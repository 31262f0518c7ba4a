// What the search for Xen may spend (base/budget.h). docs/threat-model.md shows these rows, too.
#ifndef DUMP_XEN_XEN_BUDGET_H_
#define DUMP_XEN_XEN_BUDGET_H_

#include "base/budget.h"

namespace vmm {

// The search for Xen and its PV domains: 192 GiB of touched pages, with the p2m tables of everything that looks like a
// domain. Bytes of their p2m, kept as runs of pages.
inline constexpr Budget kXenBudget{"Xen's domains", 64 << 20, 48 << 20, "pages", 10};

// The page tables of one PV domain, each once, for its memory by pseudo-physical addresses.
inline constexpr Budget kXenPageTablesBudget{"Xen's page tables", 64 << 20, 2 << 20, "page tables", 10};

}  // namespace vmm

#endif  // DUMP_XEN_XEN_BUDGET_H_
