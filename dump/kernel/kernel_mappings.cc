#include "dump/kernel/kernel_mappings.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

namespace vmm {
namespace {

// Linux Documentation/arch/x86/x86_64/mm.rst.
constexpr uint64_t kEspfixStart = 0xffffff0000000000;
constexpr uint64_t kEspfixEnd = 0xffffff8000000000;  // the first address after it
constexpr uint64_t kLastAddress = ~uint64_t{0};

// True if all of `page` is in `segment`, at the same distance between virtual and physical address.
bool Covers(const VirtualSegment& segment, const PageMapping& page) {
  return page.vaddr >= segment.vaddr && page.vaddr - segment.vaddr < segment.range.size &&
         page.size <= segment.range.size - (page.vaddr - segment.vaddr) &&
         page.phys.value - segment.range.start.value == page.vaddr - segment.vaddr;
}

class Collector {
 public:
  Collector(const PhysicalMemory& memory, const KernelMap& map, std::span<const VirtualSegment> known)
      : ram_(memory.Ranges()), map_(map), known_(known) {}

  // False if there is no room for more.
  bool Add(const PageMapping& page) {
    if (map_.page_offset.has_value() && page.vaddr - page.phys.value == *map_.page_offset) return true;
    if (Covers(map_.image, page) || !IsRam(page)) return true;
    if (IsKnown(page)) return true;
    if (!runs_.empty()) {
      VirtualSegment& last = runs_.back();
      if (last.vaddr + last.range.size == page.vaddr && last.range.end() == page.phys) {
        last.range.size += page.size;
        return true;
      }
    }
    if (runs_.size() == kMaxMappings) return false;
    runs_.push_back({page.vaddr, {page.phys, page.size}});
    return true;
  }

  std::vector<VirtualSegment> Take() { return std::move(runs_); }

 private:
  bool IsRam(const PageMapping& page) const {
    const GuestRange range{page.phys, page.size};
    const auto after = std::ranges::upper_bound(ram_, page.phys, {}, &GuestRange::start);
    return after != ram_.begin() && std::prev(after)->Contains(range);
  }

  bool IsKnown(const PageMapping& page) const {
    const auto behind = std::ranges::upper_bound(known_, page.vaddr, {}, &VirtualSegment::vaddr);
    return behind != known_.begin() && Covers(*std::prev(behind), page);
  }

  const std::vector<GuestRange> ram_;
  const KernelMap& map_;
  const std::span<const VirtualSegment> known_;
  std::vector<VirtualSegment> runs_;
};

}  // namespace

std::vector<VirtualSegment> FindKernelMappings(const PhysicalMemory& memory, const KernelMap& map,
                                               std::span<const VirtualSegment> known) {
  const PageTables tables(memory, map.root, map.levels);
  Collector collector(memory, map, known);
  const auto add = [&](const PageMapping& page) { return collector.Add(page); };
  tables.ForEachMapping(FirstOfKernelHalf(map.levels), kEspfixStart - 1, add);
  tables.ForEachMapping(kEspfixEnd, kLastAddress, add);
  return collector.Take();
}

}  // namespace vmm
