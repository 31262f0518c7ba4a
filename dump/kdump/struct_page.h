// Linux's struct page, as VMCOREINFO describes it, and what makedumpfile reads out of one.
#ifndef DUMP_KDUMP_STRUCT_PAGE_H_
#define DUMP_KDUMP_STRUCT_PAGE_H_

#include <cstdint>
#include <optional>
#include <span>

#include "absl/status/statusor.h"
#include "dump/vmcoreinfo.h"

namespace vmm {

// Linux include/linux/mm_types.h, page-flags.h; the kernels from 4.16 to 6.2.
class StructPage {
 public:
  // Unimplemented, with the key that tells, for other kernels.
  static absl::StatusOr<StructPage> FromVmcoreInfo(const VmcoreInfo& info);

  uint64_t size() const { return size_; }  // of one, in bytes

  enum class Use { kKept, kCache, kUser, kFree, kOffline };
  struct Verdict {
    Use use = Use::kKept;
    uint64_t pages = 1;  // that share it: a compound page, or a free block
  };

  // Of the page `pfn`, whose struct page begins `bytes`. If there is a whole one behind it, it is used to
  // tell the size of a compound page.
  Verdict Judge(uint64_t pfn, std::span<const uint8_t> bytes) const;

 private:
  bool HasFlag(uint64_t flags, std::optional<uint32_t> bit) const {
    return bit.has_value() && (flags >> *bit & 1) != 0;
  }

  uint64_t size_ = 0;
  uint64_t flags_ = 0, mapping_ = 0, mapcount_ = 0, private_ = 0, compound_head_ = 0;  // offsets
  uint64_t compound_dtor_ = 0, compound_order_ = 0;                                    // in the second page
  uint64_t head_mask_ = 0;
  uint64_t max_order_ = 0;  // free blocks are smaller than 2 to this
  uint32_t lru_ = 0, private_bit_ = 0, slab_ = 0, swapcache_ = 0, swapbacked_ = 0;
  std::optional<uint32_t> hwpoison_;
  std::optional<uint32_t> hugetlb_dtor_;
  uint32_t buddy_mapcount_ = 0;
  std::optional<uint32_t> offline_mapcount_;
};

}  // namespace vmm

#endif  // DUMP_KDUMP_STRUCT_PAGE_H_
