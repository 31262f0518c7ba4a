#include "dump/kdump/struct_page.h"

#include <charconv>
#include <cstring>
#include <string>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

constexpr uint64_t kMappingAnon = 1;    // PAGE_MAPPING_ANON
constexpr uint64_t kTail = 1;           // in page.compound_head, since 7.0 compound_info
constexpr uint64_t kMaxPageSize = 256;  // of a struct page, with every debugging field
constexpr uint64_t kMaxCompoundOrder = 32;
constexpr uint64_t kOrderMask = 0xff;  // in the flags of a compound page's second page

// The types of a page. Before 6.12 each type is a bit that is clear, and the highest four bits are set. Since 6.12 the
// highest byte is the type's number.
constexpr uint32_t kPageTypeBase = 0xf0000000;
constexpr uint32_t kPageTypeNumber = 0xff000000;

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

// The number of a bit in page.flags.
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

struct Version {
  int major = 0, minor = -1;
  friend auto operator<=>(const Version&, const Version&) = default;
};

Version VersionOf(std::string_view release) {
  Version version;
  const char* const end = release.data() + release.size();
  const auto dot = std::from_chars(release.data(), end, version.major);
  if (dot.ec == std::errc() && dot.ptr != end && *dot.ptr == '.') std::from_chars(dot.ptr + 1, end, version.minor);
  return version;
}

// Kernels 6.3 to 6.5 keep a folio's order in a place that no other kernel uses.
absl::Status CheckAge(const VmcoreInfo& info) {
  const Version version = VersionOf(info.release());
  const bool known = version.minor >= 0 && ((version >= Version{4, 16} && version <= Version{6, 2}) ||
                                            (version >= Version{6, 6} && version <= Version{7, 2}));
  if (!known) {
    return Unknown(
        absl::StrFormat("kernel %s is none of 4.16 to 6.2 or 6.6 to 7.2, whose struct page is known", info.release()));
  }
  for (const char* key : {"OFFSET(folio._folio_order)", "OFFSET(folio._folio_dtor)"}) {
    if (info.Value(key).has_value()) {
      return Unknown(absl::StrFormat("kernel %s has %s, which this code does not know", info.release(), key));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StructPage> StructPage::FromVmcoreInfo(const VmcoreInfo& info) {
  RETURN_IF_ERROR(CheckAge(info));
  StructPage page;
  ASSIGN_OR_RETURN(page.size_, Decimal(info, "SIZE(page)"));
  if (page.size_ < 32 || page.size_ > kMaxPageSize) return Unknown(absl::StrFormat("SIZE(page) is %d", page.size_));

  constexpr const char* kInfo = "OFFSET(page.compound_info)";
  const char* const compound_head = info.Value(kInfo).has_value() ? kInfo : "OFFSET(page.compound_head)";
  struct Offset {
    const char* key;
    uint64_t* offset;
    uint64_t size;
  };
  for (const Offset& field : {Offset{"OFFSET(page.flags)", &page.flags_, 8},
                              {"OFFSET(page.mapping)", &page.mapping_, 8},
                              {"OFFSET(page._mapcount)", &page.mapcount_, 4},
                              {"OFFSET(page.private)", &page.private_, 8},
                              {compound_head, &page.compound_head_, 8}}) {
    ASSIGN_OR_RETURN(*field.offset, Decimal(info, field.key));
    if (*field.offset > page.size_ - field.size) return Unknown(absl::StrFormat("%s is past the end of it", field.key));
  }

  ASSIGN_OR_RETURN(page.lru_, Bit(info, "PG_lru"));
  ASSIGN_OR_RETURN(page.private_bit_, Bit(info, "PG_private"));
  ASSIGN_OR_RETURN(page.swapcache_, Bit(info, "PG_swapcache"));
  ASSIGN_OR_RETURN(page.swapbacked_, Bit(info, "PG_swapbacked"));
  if (info.Number("PG_hwpoison").has_value()) {
    ASSIGN_OR_RETURN(page.hwpoison_, Bit(info, "PG_hwpoison"));
  }
  const std::optional<int64_t> head = info.Number("PG_head_mask");
  if (!head.has_value()) return Unknown("VMCOREINFO has no PG_head_mask");
  page.head_mask_ = static_cast<uint64_t>(*head);
  ASSIGN_OR_RETURN(page.max_order_, Decimal(info, "LENGTH(zone.free_area)"));
  if (page.max_order_ > kMaxCompoundOrder) return Unknown(absl::StrFormat("%d orders of free blocks", page.max_order_));
  RETURN_IF_ERROR(page.FindTypes(info));
  RETURN_IF_ERROR(page.FindCompound(info));
  return page;
}

StructPage::PageType StructPage::TypeOf(int64_t number, bool exact) {
  const auto value = static_cast<uint32_t>(number);
  if ((value & ~kPageTypeNumber) == 0) return {kPageTypeNumber, value};
  return exact ? PageType{~uint32_t{0}, value} : PageType{kPageTypeBase | ~value, kPageTypeBase};
}

absl::Status StructPage::FindTypes(const VmcoreInfo& info) {
  const std::optional<int64_t> buddy = info.Number("PAGE_BUDDY_MAPCOUNT_VALUE");
  if (!buddy.has_value()) return Unknown("VMCOREINFO has no PAGE_BUDDY_MAPCOUNT_VALUE");
  buddy_type_ = TypeOf(*buddy, true);
  if (const auto offline = info.Number("PAGE_OFFLINE_MAPCOUNT_VALUE")) offline_type_ = TypeOf(*offline, true);
  if (const auto slab = info.Number("PAGE_SLAB_MAPCOUNT_VALUE")) {
    slab_type_ = TypeOf(*slab, false);
  } else {
    ASSIGN_OR_RETURN(slab_, Bit(info, "PG_slab"));
  }
  return absl::OkStatus();
}

absl::Status StructPage::FindCompound(const VmcoreInfo& info) {
  if (VersionOf(info.release()) >= Version{6, 6}) {
    if (const auto hugetlb = info.Number("PAGE_HUGETLB_MAPCOUNT_VALUE")) {
      hugetlb_type_ = TypeOf(*hugetlb, false);
    } else if (info.Number("PG_hugetlb").has_value()) {
      ASSIGN_OR_RETURN(hugetlb_, Bit(info, "PG_hugetlb"));
    }
    return absl::OkStatus();
  }
  for (const auto& [key, offset] : {std::pair("OFFSET(page.compound_dtor)", &compound_dtor_),
                                    std::pair("OFFSET(page.compound_order)", &compound_order_)}) {
    ASSIGN_OR_RETURN(*offset, Decimal(info, key));
    if (**offset >= size_) return Unknown(absl::StrFormat("%s is past the end of it", key));
  }
  if (const auto dtor = info.Number("HUGETLB_PAGE_DTOR")) hugetlb_dtor_ = static_cast<uint32_t>(*dtor);
  return absl::OkStatus();
}

StructPage::Compound StructPage::ReadCompound(std::span<const uint8_t> head, std::span<const uint8_t> second) const {
  if (compound_order_.has_value()) {
    return {second[*compound_order_], hugetlb_dtor_.has_value() && second[*compound_dtor_] == *hugetlb_dtor_};
  }
  const uint64_t flags = Field<uint64_t>(second, flags_);
  const bool is_type = hugetlb_type_.has_value() && hugetlb_type_->IsOf(Field<uint32_t>(head, mapcount_));
  return {flags & kOrderMask, is_type || HasFlag(flags, hugetlb_)};
}

StructPage::Verdict StructPage::Judge(uint64_t pfn, std::span<const uint8_t> bytes) const {
  const uint64_t flags = Field<uint64_t>(bytes, flags_);
  // A tail page shares the verdict of its head, which was judged before it.
  if ((Field<uint64_t>(bytes, compound_head_) & kTail) != 0) return {};

  Compound compound;
  if ((flags & head_mask_) != 0 && bytes.size() >= 2 * size_) {
    compound = ReadCompound(bytes, bytes.subspan(size_));
    const uint64_t order = compound.order;
    if (order >= kMaxCompoundOrder || (pfn & ((uint64_t{1} << order) - 1)) != 0) compound.order = 0;
  }
  const uint64_t pages = uint64_t{1} << compound.order;

  const uint32_t mapcount = Field<uint32_t>(bytes, mapcount_);
  const bool slab = IsSlab(flags, mapcount);
  if (!slab && buddy_type_.IsOf(mapcount)) {
    const uint64_t free_order = Field<uint64_t>(bytes, private_);
    if (free_order >= max_order_) return {};
    return {Use::kFree, uint64_t{1} << free_order};
  }
  const bool anonymous = (Field<uint64_t>(bytes, mapping_) & kMappingAnon) != 0 && !slab;
  const bool cache = HasFlag(flags, lru_) || (HasFlag(flags, swapbacked_) && HasFlag(flags, swapcache_));
  if (cache && !anonymous) return {Use::kCache, pages};
  if (anonymous || compound.hugetlb) return {Use::kUser, pages};
  if (HasFlag(flags, hwpoison_)) return {Use::kOffline, pages};
  if (!slab && offline_type_.has_value() && offline_type_->IsOf(mapcount)) return {Use::kOffline, pages};
  return {};
}

}  // namespace vmm
