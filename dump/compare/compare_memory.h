// Compares two memories of one machine, page by page.
#ifndef DUMP_COMPARE_COMPARE_MEMORY_H_
#define DUMP_COMPARE_COMPARE_MEMORY_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "base/physical_memory.h"

namespace vmm {

// Ranges consist of whole pages and are ascending, disjoint and as long as possible. Each list keeps at most
// kMaxListedRanges of them; its `pages` counts all.
inline constexpr size_t kMaxListedRanges = 100'000;

struct RangeList {
  std::vector<GuestRange> ranges;
  uint64_t pages = 0;
};

struct MemoryDifference {
  RangeList only_a;  // RAM that the other does not have at all
  RangeList only_b;
  RangeList differ;             // in both, with other bytes
  uint64_t compared_pages = 0;  // in both; holes in both count too, and cost nothing
  uint64_t read_pages = 0;      // the compared pages that were read

  bool same() const { return only_a.pages == 0 && only_b.pages == 0 && differ.pages == 0; }
};

// Reads pages that are data in either memory, but none that is a hole in both. Fails if one memory cannot read a page.
absl::StatusOr<MemoryDifference> CompareMemory(const PhysicalMemory& a, const PhysicalMemory& b);

}  // namespace vmm

#endif  // DUMP_COMPARE_COMPARE_MEMORY_H_
