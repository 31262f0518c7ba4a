#include "dump/kdump/struct_page.h"

#include <charconv>
#include <cstring>
#include <string>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

constexpr uint64_t kMappingAnon = 1;    // PAGE_MAPPING_ANON
constexpr uint64_t kTail = 1;           // of page.compound_head
constexpr uint64_t kMaxPageSize = 256;  // of a struct page, with every debugging field
constexpr uint64_t kMaxCompoundOrder = 32;

absl::Status Unknown(const std::string& why) { return absl::UnimplementedError(absl::StrFormat("filtering: %s", why)); }

absl::StatusOr<uint64_t> Decimal(const VmcoreInfo& info, const char* key) {
  const std::optional<std::string_view> text = info.Value(key);
  uint64_t number = 0;
  if (text.has_value() && !text->empty()) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error == std::errc() && end == text->data() + text->size()) return number;
  }
  return Unknown(absl::StrFormat("VMCOREINFO has no usable %s", key));
}

// A bit of page.flags.
absl::StatusOr<uint32_t> Bit(const VmcoreInfo& info, const char* name) {
  const std::optional<int64_t> bit = info.Number(name);
  if (!bit.has_value() || *bit < 0 || *bit > 63) return Unknown(absl::StrFormat("VMCOREINFO has no usable %s", name));
  return static_cast<uint32_t>(*bit);
}

template <typename T>
T Field(std::span<const uint8_t> bytes, uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

// The keys by which younger kernels say that struct page is not as it was.
absl::Status CheckAge(const VmcoreInfo& info) {
  for (const char* key :
       {"NUMBER(PG_hugetlb)", "NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)", "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)",
        "OFFSET(folio._folio_order)", "OFFSET(folio._folio_dtor)"}) {
    if (info.Value(key).has_value()) {
      return Unknown(absl::StrFormat("kernel %s has %s, which is younger than this code", info.release(), key));
    }
  }
  int major = 0, minor = -1;
  const std::string_view release = info.release();
  const auto dot = std::from_chars(release.data(), release.data() + release.size(), major);
  if (dot.ec == std::errc() && dot.ptr != release.data() + release.size() && *dot.ptr == '.') {
    std::from_chars(dot.ptr + 1, release.data() + release.size(), minor);
  }
  if (minor < 0 || major < 4 || (major == 4 && minor < 16) || major > 6 || (major == 6 && minor > 2)) {
    return Unknown(absl::StrFormat("kernel %s is none of 4.16 to 6.2, whose struct page is known", release));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StructPage> StructPage::FromVmcoreInfo(const VmcoreInfo& info) {
  RETURN_IF_ERROR(CheckAge(info));
  StructPage page;
  ASSIGN_OR_RETURN(page.size_, Decimal(info, "SIZE(page)"));
  if (page.size_ < 32 || page.size_ > kMaxPageSize) return Unknown(absl::StrFormat("SIZE(page) is %d", page.size_));

  struct Offset {
    const char* key;
    uint64_t* offset;
    uint64_t size;
  };
  for (const Offset& field : {Offset{"OFFSET(page.flags)", &page.flags_, 8},
                              {"OFFSET(page.mapping)", &page.mapping_, 8},
                              {"OFFSET(page._mapcount)", &page.mapcount_, 4},
                              {"OFFSET(page.private)", &page.private_, 8},
                              {"OFFSET(page.compound_head)", &page.compound_head_, 8},
                              {"OFFSET(page.compound_dtor)", &page.compound_dtor_, 1},
                              {"OFFSET(page.compound_order)", &page.compound_order_, 1}}) {
    ASSIGN_OR_RETURN(*field.offset, Decimal(info, field.key));
    if (*field.offset > page.size_ - field.size) return Unknown(absl::StrFormat("%s is past the end of it", field.key));
  }

  ASSIGN_OR_RETURN(page.lru_, Bit(info, "PG_lru"));
  ASSIGN_OR_RETURN(page.private_bit_, Bit(info, "PG_private"));
  ASSIGN_OR_RETURN(page.slab_, Bit(info, "PG_slab"));
  ASSIGN_OR_RETURN(page.swapcache_, Bit(info, "PG_swapcache"));
  ASSIGN_OR_RETURN(page.swapbacked_, Bit(info, "PG_swapbacked"));
  if (info.Number("PG_hwpoison").has_value()) {
    ASSIGN_OR_RETURN(page.hwpoison_, Bit(info, "PG_hwpoison"));
  }
  const std::optional<int64_t> head = info.Number("PG_head_mask");
  const std::optional<int64_t> buddy = info.Number("PAGE_BUDDY_MAPCOUNT_VALUE");
  if (!head.has_value() || !buddy.has_value())
    return Unknown("VMCOREINFO has no PG_head_mask or PAGE_BUDDY_MAPCOUNT_VALUE");
  page.head_mask_ = static_cast<uint64_t>(*head);
  page.buddy_mapcount_ = static_cast<uint32_t>(*buddy);
  if (const auto offline = info.Number("PAGE_OFFLINE_MAPCOUNT_VALUE")) {
    page.offline_mapcount_ = static_cast<uint32_t>(*offline);
  }
  if (const auto dtor = info.Number("HUGETLB_PAGE_DTOR")) page.hugetlb_dtor_ = static_cast<uint32_t>(*dtor);
  ASSIGN_OR_RETURN(page.max_order_, Decimal(info, "LENGTH(zone.free_area)"));
  if (page.max_order_ > kMaxCompoundOrder) return Unknown(absl::StrFormat("%d orders of free blocks", page.max_order_));
  return page;
}

StructPage::Verdict StructPage::Judge(uint64_t pfn, std::span<const uint8_t> bytes) const {
  const uint64_t flags = Field<uint64_t>(bytes, flags_);
  // A tail has the verdict of its head, which was judged before it.
  if ((Field<uint64_t>(bytes, compound_head_) & kTail) != 0) return {};

  uint64_t order = 0;
  std::optional<uint32_t> dtor;
  if ((flags & head_mask_) != 0 && bytes.size() >= 2 * size_) {
    const std::span<const uint8_t> second = bytes.subspan(size_);
    order = second[compound_order_];
    dtor = second[compound_dtor_];
    if (order >= kMaxCompoundOrder || (pfn & ((uint64_t{1} << order) - 1)) != 0) order = 0;
  }
  const uint64_t pages = uint64_t{1} << order;

  const uint32_t mapcount = Field<uint32_t>(bytes, mapcount_);
  const bool slab = HasFlag(flags, slab_);
  if (!slab && mapcount == buddy_mapcount_) {
    const uint64_t free_order = Field<uint64_t>(bytes, private_);
    if (free_order >= max_order_) return {};
    return {Use::kFree, uint64_t{1} << free_order};
  }
  const bool anonymous = (Field<uint64_t>(bytes, mapping_) & kMappingAnon) != 0 && !slab;
  const bool cache = HasFlag(flags, lru_) || (HasFlag(flags, swapbacked_) && HasFlag(flags, swapcache_));
  if (cache && !anonymous) return {Use::kCache, pages};
  if (anonymous || (dtor.has_value() && dtor == hugetlb_dtor_)) return {Use::kUser, pages};
  if (HasFlag(flags, hwpoison_)) return {Use::kOffline, pages};
  if (!slab && offline_mapcount_.has_value() && mapcount == *offline_mapcount_) return {Use::kOffline, pages};
  return {};
}

}  // namespace vmm
