#include "dump/kdump/page_filter.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "dump/kdump/struct_page.h"

namespace vmm {
namespace {

// Number of struct pages that are read at a time. Compound pages and free blocks are aligned, so the second page of one
// is in the same group as its head.
constexpr uint64_t kGroup = 512;

constexpr uint64_t kSectionPresent = 1;  // SECTION_MARKED_PRESENT
constexpr uint64_t kSectionMapMask = ~0xfffull;

absl::Status Unknown(const std::string& why) { return absl::UnimplementedError(absl::StrFormat("filtering: %s", why)); }

// The mem_section table of SPARSEMEM_EXTREME (Linux mm/sparse.c): pages of `struct mem_section`, and an
// array of pointers to them.
struct Sections {
  uint64_t roots = 0;  // kernel-virtual address of that array
  uint64_t size = 0;   // bytes of a struct mem_section
  uint64_t map_offset = 0;
  uint64_t pages = 0;  // in a section

  uint64_t per_root() const { return kPageSize / size; }

  static absl::StatusOr<Sections> FromVmcoreInfo(const VmcoreInfo& info) {
    const auto decimal = [&](const char* key) {
      uint64_t number = 0;
      const std::string_view text = info.Value(key).value_or("");
      std::from_chars(text.data(), text.data() + text.size(), number);
      return number;
    };
    const int64_t section_bits = info.Number("SECTION_SIZE_BITS").value_or(0);
    const int64_t physmem_bits = info.Number("MAX_PHYSMEM_BITS").value_or(0);
    const uint64_t length = decimal("LENGTH(mem_section)");
    Sections sections;
    sections.roots = info.Symbol("mem_section").value_or(0);
    sections.size = decimal("SIZE(mem_section)");
    sections.map_offset = info.Offset("mem_section.section_mem_map").value_or(~0ull);
    if (section_bits < 20 || section_bits > 40 || physmem_bits < section_bits || physmem_bits > 52 ||
        sections.roots == 0 || sections.size < 8 || sections.size > kPageSize ||
        (sections.size & (sections.size - 1)) != 0 || sections.map_offset > sections.size - 8) {
      return Unknown("VMCOREINFO does not describe mem_section");
    }
    const uint64_t count = uint64_t{1} << (physmem_bits - section_bits);
    if (length != (count + sections.per_root() - 1) / sections.per_root()) {
      return Unknown("the kernel's memory model is not SPARSEMEM_EXTREME");
    }
    sections.pages = (uint64_t{1} << section_bits) / kPageSize;
    return sections;
  }
};

class Filter {
 public:
  Filter(const PhysicalMemory& memory, const KernelMap& map, const StructPage& page, const Sections& sections)
      : memory_(memory), tables_(memory, map.root, map.levels), page_(page), sections_(sections) {}

  absl::StatusOr<FilteredPages> Run() {
    const std::vector<GuestRange> ranges = memory_.Ranges();
    if (ranges.empty()) return absl::InvalidArgumentError("filtering: no RAM");
    const uint64_t end = ranges.back().end().value / kPageSize;
    ram_ = PageBitmap(end);
    for (const GuestRange& range : ranges) ram_.SetRange(range.start.value / kPageSize, range.end().value / kPageSize);
    found_.pages = PageBitmap(end);
    for (uint64_t pfn = ram_.Find(0, true); pfn < end;) {
      const uint64_t section = pfn / sections_.pages;
      const uint64_t section_end = std::min((section + 1) * sections_.pages, end);
      ASSIGN_OR_RETURN(const uint64_t mem_map, MemMap(section));
      if (mem_map != 0) RETURN_IF_ERROR(FilterSection(section * sections_.pages, section_end, mem_map));
      pfn = ram_.Find(section_end, true);
    }
    return std::move(found_);
  }

 private:
  absl::Status ReadVirtual(uint64_t vaddr, std::span<uint8_t> out) const {
    while (!out.empty()) {
      const uint64_t part = std::min<uint64_t>(out.size(), kPageSize - vaddr % kPageSize);
      ASSIGN_OR_RETURN(const GuestAddr at, tables_.Translate(vaddr));
      RETURN_IF_ERROR(memory_.Read(at, out.first(part)));
      out = out.subspan(part);
      vaddr += part;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> ReadWord(uint64_t vaddr) const {
    uint64_t word = 0;
    RETURN_IF_ERROR(ReadVirtual(vaddr, {reinterpret_cast<uint8_t*>(&word), sizeof(word)}));
    return word;
  }

  // The address of the struct page of the section's first page; 0: it has none.
  absl::StatusOr<uint64_t> MemMap(uint64_t section) const {
    ASSIGN_OR_RETURN(const uint64_t root, Annotate(ReadWord(sections_.roots + 8 * (section / sections_.per_root())),
                                                   "filtering: mem_section"));
    if (root == 0) return 0;
    const uint64_t entry = root + section % sections_.per_root() * sections_.size + sections_.map_offset;
    ASSIGN_OR_RETURN(const uint64_t coded, Annotate(ReadWord(entry), "filtering: mem_section"));
    if ((coded & kSectionPresent) == 0) return 0;
    return (coded & kSectionMapMask) + section * sections_.pages * page_.size();
  }

  absl::Status FilterSection(uint64_t first, uint64_t end, uint64_t mem_map) {
    std::vector<uint8_t> group(kGroup * page_.size());
    for (uint64_t pfn = ram_.Find(first, true); pfn < end;) {
      const uint64_t group_end = std::min(AlignDown(pfn, kGroup) + kGroup, end);
      const std::span<uint8_t> bytes = std::span(group).first((group_end - pfn) * page_.size());
      RETURN_IF_ERROR(Annotate(ReadVirtual(mem_map + (pfn - first) * page_.size(), bytes),
                               absl::StrFormat("filtering: struct page of page %#x", pfn)));
      pfn = ram_.Find(FilterGroup(pfn, group_end, bytes), true);
    }
    return absl::OkStatus();
  }

  // `bytes` are the struct pages of [first, end). Returns the first page that is not judged yet.
  uint64_t FilterGroup(uint64_t first, uint64_t end, std::span<const uint8_t> bytes) {
    uint64_t pfn = first;
    while (pfn < end) {
      if (!ram_.Test(pfn)) {
        ++pfn;
        continue;
      }
      const StructPage::Verdict verdict = page_.Judge(pfn, bytes.subspan((pfn - first) * page_.size()));
      if (verdict.use == StructPage::Use::kKept) {
        ++pfn;
        continue;
      }
      const uint64_t verdict_end = pfn + verdict.pages;
      CounterOf(verdict.use) += ram_.Count(pfn, verdict_end);
      found_.pages.SetRange(pfn, verdict_end);
      pfn = verdict_end;
    }
    return pfn;
  }

  uint64_t& CounterOf(StructPage::Use use) {
    switch (use) {
      case StructPage::Use::kCache: return found_.cache;
      case StructPage::Use::kUser: return found_.user;
      case StructPage::Use::kFree: return found_.free;
      default: return found_.offline;
    }
  }

  const PhysicalMemory& memory_;
  const PageTables tables_;
  const StructPage& page_;
  const Sections& sections_;
  PageBitmap ram_;
  FilteredPages found_;
};

}  // namespace

absl::StatusOr<FilteredPages> FilterPages(const PhysicalMemory& memory, const KernelMap& map, const VmcoreInfo& info) {
  ASSIGN_OR_RETURN(const StructPage page, StructPage::FromVmcoreInfo(info));
  ASSIGN_OR_RETURN(const Sections sections, Sections::FromVmcoreInfo(info));
  return Filter(memory, map, page, sections).Run();
}

absl::StatusOr<std::vector<GuestRange>> FilteredMemory::DataExtents() const {
  ASSIGN_OR_RETURN(const std::vector<GuestRange> extents, memory_.DataExtents());
  std::vector<GuestRange> kept;
  for (const GuestRange& extent : extents) {
    const uint64_t end = (extent.start.value + extent.size) / kPageSize;
    uint64_t pfn = extent.start.value / kPageSize;
    while (pfn < end) {
      if (left_out_.Test(pfn)) {
        pfn = left_out_.Find(pfn, false);
        continue;
      }
      // Past its end, the bitmap leaves nothing out.
      const uint64_t next = pfn < left_out_.pages() ? std::min(left_out_.Find(pfn, true), end) : end;
      const uint64_t stop = next == left_out_.pages() ? end : next;
      kept.push_back({GuestAddr{pfn * kPageSize}, (stop - pfn) * kPageSize});
      pfn = stop;
    }
  }
  return kept;
}

absl::Status FilteredMemory::Read(GuestAddr addr, std::span<uint8_t> out) const {
  RETURN_IF_ERROR(memory_.Read(addr, out));
  uint64_t at = 0;
  while (at < out.size()) {
    const uint64_t size = std::min<uint64_t>(out.size() - at, kPageSize - (addr.value + at) % kPageSize);
    if (left_out_.Test((addr.value + at) / kPageSize)) std::memset(out.data() + at, 0, size);
    at += size;
  }
  return absl::OkStatus();
}

std::span<const uint8_t> FilteredMemory::Lend(GuestRange range) const {
  const uint64_t end = (range.start.value + range.size + kPageSize - 1) / kPageSize;
  if (left_out_.Count(range.start.value / kPageSize, end) != 0) return {};
  return memory_.Lend(range);
}

}  // namespace vmm
