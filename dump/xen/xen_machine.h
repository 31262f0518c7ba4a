// Finds Xen and its PV domains in the RAM of a whole machine, without any symbol: docs/abi/xen-notes.md.
#ifndef DUMP_XEN_XEN_MACHINE_H_
#define DUMP_XEN_XEN_MACHINE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "base/physical_memory.h"
#include "dump/snapshot/cpu_state.h"
#include "dump/xen/domain_scan.h"
#include "dump/xen/p2m.h"
#include "dump/xen/xen_version.h"

namespace vmm {

// A PV domain. A plain value.
struct PvDomain {
  SharedInfoPage info;
  std::shared_ptr<const P2m> p2m;      // never null
  std::optional<StartInfoPage> start;  // in its own memory, and it names `info`

  // It says of itself that it is dom0.
  bool says_initial() const;
};

struct XenMachine {
  std::optional<XenVersion> version;       // none: Xen's log has its first line no more
  std::optional<uint64_t> xen_phys_start;  // the physical address of Xen's image; none: no page tables show it
  std::vector<PvDomain> domains;           // dom0 first, else ascending by the address of shared_info
  bool has_dom0 = false;                   // then it is domains[0]
  std::vector<std::string> remarks;        // what was refused or left out, for people
};

// True if a CPU runs in, or takes its interrupts through, the part of the address space that every PV guest leaves to
// Xen: the CPUs of a Xen machine with PV guests.
bool RunsXen(std::span<const CpuState> cpus);

// `cpus` are the physical ones. What the guests planted is refused as far as it contradicts itself: a shared_info page
// in a domain's own memory, a frame that two domains claim. Of two such, the one named by a start_info wins, then the
// larger. Costs at most kXenBudget. Errors come from reading `machine`, and ResourceExhausted once the budget is spent.
absl::StatusOr<XenMachine> FindXen(const PhysicalMemory& machine, std::span<const CpuState> cpus);

}  // namespace vmm

#endif  // DUMP_XEN_XEN_MACHINE_H_
