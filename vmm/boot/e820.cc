#include "vmm/boot/e820.h"

#include <algorithm>
#include <array>

#include "vmm/boot/placement.h"
#include "vmm/platform/memory_map.h"

namespace vmm {

std::vector<E820Entry> MakeE820(std::span<const GuestRange> ram) {
  const GuestRange legacy{kEbda, kHighMemory.value - kEbda.value};
  std::vector<E820Entry> entries;
  for (const GuestRange& range : FreeRanges(ram, std::array{legacy})) {
    entries.push_back({range.start.value, range.size, kE820Ram});
  }
  entries.push_back({kAcpiTables.value, kHighMemory.value - kAcpiTables.value, kE820Reserved});
  entries.push_back({kIdentityMapPage, kTssPages + 3 * kPageSize - kIdentityMapPage, kE820Reserved});
  std::sort(entries.begin(), entries.end(), [](const E820Entry& a, const E820Entry& b) { return a.addr < b.addr; });
  return entries;
}

}  // namespace vmm
