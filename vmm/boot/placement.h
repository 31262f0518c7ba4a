// Finds room in guest RAM.
#ifndef VMM_BOOT_PLACEMENT_H_
#define VMM_BOOT_PLACEMENT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/guest_addr.h"

namespace vmm {

// Returns `ram` without the bytes of `taken`. `ram` must be ascending and disjoint, like GuestMemory::Ranges().
std::vector<GuestRange> FreeRanges(std::span<const GuestRange> ram, std::span<const GuestRange> taken);

// The requirements for a place.
struct Room {
  uint64_t size = 0;
  uint64_t alignment = kPageSize;       // a power of two
  uint64_t lowest = 0;                  // the place starts here or above
  uint64_t highest_end = ~uint64_t{0};  // the place ends here or below
};

// The lowest or highest place in `free`, or nothing if there is none.
std::optional<GuestAddr> LowestPlace(std::span<const GuestRange> free, const Room& room);
std::optional<GuestAddr> HighestPlace(std::span<const GuestRange> free, const Room& room);

// The number of aligned places, and the place with number `index`, counted from the lowest.
// REQUIRES: index < CountPlaces().
uint64_t CountPlaces(std::span<const GuestRange> free, const Room& room);
GuestAddr PlaceAt(std::span<const GuestRange> free, const Room& room, uint64_t index);

}  // namespace vmm

#endif  // VMM_BOOT_PLACEMENT_H_
