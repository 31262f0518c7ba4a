#include "vmm/boot/placement.h"

#include <algorithm>

namespace vmm {
namespace {

// The aligned places inside one free range: `count` of them, the lowest at `first`.
struct Places {
  uint64_t first = 0;
  uint64_t count = 0;
};

Places PlacesIn(const GuestRange& free, const Room& room) {
  const uint64_t low = std::max(free.start.value, room.lowest);
  const uint64_t high = std::min(free.end().value, room.highest_end);
  const uint64_t first = AlignUp(low, room.alignment);
  if (first < low || first > high || high - first < room.size) return {};
  return {first, (high - first - room.size) / room.alignment + 1};
}

}  // namespace

std::vector<GuestRange> FreeRanges(std::span<const GuestRange> ram, std::span<const GuestRange> taken) {
  std::vector<GuestRange> sorted(taken.begin(), taken.end());
  std::sort(sorted.begin(), sorted.end(), [](const GuestRange& a, const GuestRange& b) { return a.start < b.start; });
  std::vector<GuestRange> free;
  for (const GuestRange& range : ram) {
    uint64_t at = range.start.value;
    for (const GuestRange& hole : sorted) {
      if (!hole.Overlaps(range)) continue;
      if (hole.start.value > at) free.push_back({GuestAddr{at}, hole.start.value - at});
      at = std::max(at, hole.end().value);
    }
    if (at < range.end().value) free.push_back({GuestAddr{at}, range.end().value - at});
  }
  return free;
}

std::optional<GuestAddr> LowestPlace(std::span<const GuestRange> free, const Room& room) {
  for (const GuestRange& range : free) {
    const Places places = PlacesIn(range, room);
    if (places.count != 0) return GuestAddr{places.first};
  }
  return std::nullopt;
}

std::optional<GuestAddr> HighestPlace(std::span<const GuestRange> free, const Room& room) {
  for (size_t i = free.size(); i-- > 0;) {
    const Places places = PlacesIn(free[i], room);
    if (places.count != 0) return GuestAddr{places.first + (places.count - 1) * room.alignment};
  }
  return std::nullopt;
}

uint64_t CountPlaces(std::span<const GuestRange> free, const Room& room) {
  uint64_t count = 0;
  for (const GuestRange& range : free) count += PlacesIn(range, room).count;
  return count;
}

GuestAddr PlaceAt(std::span<const GuestRange> free, const Room& room, uint64_t index) {
  for (const GuestRange& range : free) {
    const Places places = PlacesIn(range, room);
    if (index < places.count) return GuestAddr{places.first + index * room.alignment};
    index -= places.count;
  }
  return GuestAddr{};
}

}  // namespace vmm
