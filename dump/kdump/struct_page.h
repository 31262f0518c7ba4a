// Reads Linux's struct page, whose layout VMCOREINFO describes. Takes the same facts from it as makedumpfile.
#ifndef DUMP_KDUMP_STRUCT_PAGE_H_
#define DUMP_KDUMP_STRUCT_PAGE_H_

#include <cstdint>
#include <optional>
#include <span>

#include "absl/status/statusor.h"
#include "dump/snapshot/vmcoreinfo.h"

namespace vmm {

// The struct page of Linux 4.16 to 6.2 and 6.6 to 7.2. Source: Linux include/linux/mm_types.h, page-flags.h.
class StructPage {
 public:
  // Unimplemented for other kernels. The message names the VMCOREINFO key that shows it, or the release.
  static absl::StatusOr<StructPage> FromVmcoreInfo(const VmcoreInfo& info);

  uint64_t size() const { return size_; }  // of one struct page, in bytes

  enum class Use { kKept, kCache, kUser, kFree, kOffline };
  struct Verdict {
    Use use = Use::kKept;
    uint64_t pages = 1;  // pages that share it: a compound page or a free block
  };

  // Judges page `pfn`, whose struct page is at the start of `bytes`. If a whole second one follows it, that one gives
  // the size of a compound page.
  Verdict Judge(uint64_t pfn, std::span<const uint8_t> bytes) const;

 private:
  // Recognizes a page of a certain type that nobody maps. In such a page the field _mapcount means something else: it
  // holds the type.
  struct PageType {
    uint32_t mask = 0;
    uint32_t value = 0;

    bool IsOf(uint32_t mapcount) const { return (mapcount & mask) == value; }
  };

  // Takes a PAGE_*_MAPCOUNT_VALUE from VMCOREINFO. `exact`: before Linux 6.12, the page has that type and no other.
  static PageType TypeOf(int64_t number, bool exact);

  // The order of a compound page, and whether it belongs to hugetlbfs. Both come from its second page; since 6.9 the
  // latter comes from its first page's type.
  struct Compound {
    uint64_t order = 0;
    bool hugetlb = false;
  };
  Compound ReadCompound(std::span<const uint8_t> head, std::span<const uint8_t> second) const;
  absl::Status FindCompound(const VmcoreInfo& info);
  absl::Status FindTypes(const VmcoreInfo& info);

  bool IsSlab(uint64_t flags, uint32_t mapcount) const {
    return HasFlag(flags, slab_) || (slab_type_.has_value() && slab_type_->IsOf(mapcount));
  }
  static bool HasFlag(uint64_t flags, std::optional<uint32_t> bit) {
    return bit.has_value() && (flags >> *bit & 1) != 0;
  }

  uint64_t size_ = 0;
  uint64_t flags_ = 0, mapping_ = 0, mapcount_ = 0, private_ = 0, compound_head_ = 0;  // offsets
  uint64_t head_mask_ = 0;
  uint64_t max_order_ = 0;  // free blocks have fewer than 2^max_order_ pages
  uint32_t lru_ = 0, private_bit_ = 0, swapcache_ = 0, swapbacked_ = 0;
  std::optional<uint32_t> hwpoison_;
  PageType buddy_type_;
  std::optional<PageType> offline_type_;

  std::optional<uint32_t> slab_;       // a flag, before 6.10
  std::optional<PageType> slab_type_;  // since then

  // Up to 6.2: offsets in the second page, and the number of hugetlbfs' destructor.
  std::optional<uint64_t> compound_dtor_, compound_order_;
  std::optional<uint32_t> hugetlb_dtor_;
  // Since 6.6 the order is the low byte of the second page's flags. Hugetlbfs' pages have a bit there, or since 6.9 a
  // type.
  std::optional<uint32_t> hugetlb_;
  std::optional<PageType> hugetlb_type_;
};

}  // namespace vmm

#endif  // DUMP_KDUMP_STRUCT_PAGE_H_
