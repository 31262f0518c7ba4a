// Two memories of one machine, page by page.
#ifndef DUMP_COMPARE_COMPARE_MEMORY_H_
#define DUMP_COMPARE_COMPARE_MEMORY_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "base/physical_memory.h"

namespace vmm {

// Ranges are of whole pages, ascending, disjoint, as long as they can be. At most kMaxListedRanges of
// each are kept; the counts are of all.
inline constexpr size_t kMaxListedRanges = 100'000;

struct RangeList {
  std::vector<GuestRange> ranges;
  uint64_t pages = 0;
};

struct MemoryDifference {
  RangeList only_a;  // RAM that the other does not have at all
  RangeList only_b;
  RangeList differ;             // in both, with other bytes
  uint64_t compared_pages = 0;  // in both; those that are holes in both count, and cost nothing
  uint64_t read_pages = 0;      // of these, those that were read

  bool same() const { return only_a.pages == 0 && only_b.pages == 0 && differ.pages == 0; }
};

// Reads what is data in either, and no page that is a hole in both. A page that one of them cannot read
// ends it.
absl::StatusOr<MemoryDifference> CompareMemory(const PhysicalMemory& a, const PhysicalMemory& b);

}  // namespace vmm

#endif  // DUMP_COMPARE_COMPARE_MEMORY_H_
