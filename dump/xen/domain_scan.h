// Finds the pages of RAM that look like a PV domain's shared_info or start_info.
#ifndef DUMP_XEN_DOMAIN_SCAN_H_
#define DUMP_XEN_DOMAIN_SCAN_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "base/meter.h"
#include "base/physical_memory.h"

namespace vmm {

struct SharedInfoPage {
  GuestAddr at;
  uint64_t max_pfn = 0;
  uint64_t list_list = 0;  // an MFN
  uint64_t p2m_cr3 = 0;
  uint64_t p2m_vaddr = 0;
};

struct StartInfoPage {
  GuestAddr at;
  GuestAddr shared_info;
  uint64_t pages = 0;
  uint32_t flags = 0;
};

// Ascending. Tables of ascending numbers look like a shared_info, about a thousand in 2 GiB: only a P2m tells them from
// real ones.
struct DomainPages {
  std::vector<SharedInfoPage> shared;
  std::vector<StartInfoPage> starts;
  bool too_many = false;  // there were more than kMaxDomainPages of one kind; the rest is left out
};

inline constexpr size_t kMaxDomainPages = 64 << 10;

// Looks at each page that was ever touched; each is a step. Errors are those of reading, and the meter's.
absl::StatusOr<DomainPages> ScanForDomainPages(const PhysicalMemory& machine, Meter& meter);

}  // namespace vmm

#endif  // DUMP_XEN_DOMAIN_SCAN_H_
