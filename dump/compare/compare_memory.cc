#include "dump/compare/compare_memory.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "base/status.h"

namespace vmm {
namespace {

constexpr uint64_t kChunk = 1 << 20;

void Add(RangeList& list, GuestRange range) {
  if (range.size == 0) return;
  list.pages += range.size / kPageSize;
  if (!list.ranges.empty() && list.ranges.back().end() == range.start) {
    list.ranges.back().size += range.size;
  } else if (list.ranges.size() < kMaxListedRanges) {
    list.ranges.push_back(range);
  }
}

GuestRange Between(uint64_t begin, uint64_t end) { return {GuestAddr{begin}, end > begin ? end - begin : 0}; }

// The intersection of two lists of ascending, disjoint ranges.
std::vector<GuestRange> Common(std::span<const GuestRange> a, std::span<const GuestRange> b) {
  std::vector<GuestRange> common;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const GuestRange both =
        Between(std::max(a[i].start.value, b[j].start.value), std::min(a[i].end().value, b[j].end().value));
    if (both.size != 0) common.push_back(both);
    (a[i].end() < b[j].end() ? i : j) += 1;
  }
  return common;
}

// The part of `a` that is not in `b`.
RangeList Without(std::span<const GuestRange> a, std::span<const GuestRange> b) {
  RangeList rest;
  size_t j = 0;
  for (const GuestRange& range : a) {
    uint64_t at = range.start.value;
    for (; j < b.size() && b[j].end() <= range.start; ++j) {
    }
    for (size_t k = j; k < b.size() && b[k].start < range.end(); ++k) {
      Add(rest, Between(at, b[k].start.value));
      at = std::max(at, b[k].end().value);
    }
    Add(rest, Between(at, range.end().value));
  }
  return rest;
}

// The union of both lists.
std::vector<GuestRange> Union(std::span<const GuestRange> a, std::span<const GuestRange> b) {
  std::vector<GuestRange> all(a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  std::sort(all.begin(), all.end(), [](const GuestRange& x, const GuestRange& y) { return x.start < y.start; });
  std::vector<GuestRange> merged;
  for (const GuestRange& range : all) {
    if (!merged.empty() && merged.back().end() >= range.start) {
      GuestRange& last = merged.back();
      last.size = std::max(last.end(), range.end()).value - last.start.value;
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

absl::Status CompareRange(const PhysicalMemory& a, const PhysicalMemory& b, GuestRange range,
                          MemoryDifference& difference) {
  std::vector<uint8_t> bytes_a, bytes_b;
  for (uint64_t at = 0; at < range.size; at += kChunk) {
    const uint64_t size = std::min(kChunk, range.size - at);
    const GuestAddr start{range.start.value + at};
    bytes_a.resize(size);
    bytes_b.resize(size);
    RETURN_IF_ERROR(a.Read(start, bytes_a));
    RETURN_IF_ERROR(b.Read(start, bytes_b));
    difference.read_pages += size / kPageSize;
    if (bytes_a == bytes_b) continue;
    for (uint64_t page = 0; page < size; page += kPageSize) {
      if (std::memcmp(bytes_a.data() + page, bytes_b.data() + page, kPageSize) != 0) {
        Add(difference.differ, {GuestAddr{start.value + page}, kPageSize});
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<MemoryDifference> CompareMemory(const PhysicalMemory& a, const PhysicalMemory& b) {
  const std::vector<GuestRange> ram_a = a.Ranges(), ram_b = b.Ranges();
  MemoryDifference difference;
  difference.only_a = Without(ram_a, ram_b);
  difference.only_b = Without(ram_b, ram_a);
  const std::vector<GuestRange> both = Common(ram_a, ram_b);
  for (const GuestRange& range : both) difference.compared_pages += range.size / kPageSize;

  ASSIGN_OR_RETURN(const std::vector<GuestRange> data_a, a.DataExtents());
  ASSIGN_OR_RETURN(const std::vector<GuestRange> data_b, b.DataExtents());
  const std::vector<GuestRange> data = Union(data_a, data_b);
  for (const GuestRange& range : Common(data, both)) RETURN_IF_ERROR(CompareRange(a, b, range, difference));
  return difference;
}

}  // namespace vmm
