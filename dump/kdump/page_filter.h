// Finds the pages of a Linux guest that nobody needs to understand its crash: page cache, user memory, free memory.
// Decides page by page from the guest's struct pages, as makedumpfile -d 31 decides (makedumpfile.c,
// __exclude_unnecessary_pages). The result was checked against the pages that makedumpfile leaves out.
#ifndef DUMP_KDUMP_PAGE_FILTER_H_
#define DUMP_KDUMP_PAGE_FILTER_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "base/physical_memory.h"
#include "dump/kdump/page_bitmap.h"
#include "dump/kernel/kernel_map.h"
#include "dump/snapshot/vmcoreinfo.h"

namespace vmm {

struct FilteredPages {
  PageBitmap pages;
  uint64_t cache = 0;  // private or not
  uint64_t user = 0;   // anonymous and hugetlb
  uint64_t free = 0;
  uint64_t offline = 0;  // ballooned or poisoned
};

// Pages of zeros are not filtered out: they cost nothing, and some are needed. RAM without a struct page is kept.
// Unimplemented, with the reason, for a kernel whose struct page this code does not know: older than 4.16, from 6.3 to
// 6.5, newer than 7.2, or without SPARSEMEM_EXTREME. Other errors if something that VMCOREINFO promises is not in
// `memory`.
absl::StatusOr<FilteredPages> FilterPages(const PhysicalMemory& memory, const KernelMap& map, const VmcoreInfo& info);

// A memory with some pages left out: they read as zeros and are not data.
class FilteredMemory final : public PhysicalMemory {
 public:
  // Both must outlive this object.
  FilteredMemory(const PhysicalMemory& memory, const PageBitmap& left_out) : memory_(memory), left_out_(left_out) {}

  std::vector<GuestRange> Ranges() const override { return memory_.Ranges(); }
  absl::StatusOr<std::vector<GuestRange>> DataExtents() const override;
  absl::Status Read(GuestAddr addr, std::span<uint8_t> out) const override;
  std::span<const uint8_t> Lend(GuestRange range) const override;

 private:
  const PhysicalMemory& memory_;
  const PageBitmap& left_out_;
};

}  // namespace vmm

#endif  // DUMP_KDUMP_PAGE_FILTER_H_
