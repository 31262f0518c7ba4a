// Types for guest-physical numbers. Nobody can mistake a GPA for a host pointer, a length or a guest-virtual address,
// and no sum of two of them wraps unseen.
#ifndef BASE_GUEST_ADDR_H_
#define BASE_GUEST_ADDR_H_

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>

namespace vmm {

inline constexpr uint64_t kPageSize = 4096;

// True if a + b fits 64 bits; *sum is set only then.
constexpr bool CheckedAdd(uint64_t a, uint64_t b, uint64_t* sum) { return !__builtin_add_overflow(a, b, sum); }

// `value` rounded to a multiple of `alignment`, which is a power of two. AlignUp wraps to 0 past 2^64.
constexpr uint64_t AlignDown(uint64_t value, uint64_t alignment) { return value & ~(alignment - 1); }
constexpr uint64_t AlignUp(uint64_t value, uint64_t alignment) { return AlignDown(value + alignment - 1, alignment); }

// A guest-physical address (GPA).
struct GuestAddr {
  uint64_t value = 0;

  friend constexpr auto operator<=>(GuestAddr, GuestAddr) = default;

  // This address plus `offset` bytes. Nothing if that passes 2^64.
  constexpr std::optional<GuestAddr> Plus(uint64_t offset) const {
    uint64_t sum = 0;
    if (!CheckedAdd(value, offset, &sum)) return std::nullopt;
    return GuestAddr{sum};
  }
};

// `size` bytes from `start`. A range may end exactly at 2^64, so compare with Contains(), never with an end address
// computed by hand.
struct GuestRange {
  GuestAddr start;
  uint64_t size = 0;

  friend constexpr bool operator==(const GuestRange&, const GuestRange&) = default;

  // True if start + size does not pass 2^64.
  constexpr bool IsValid() const {
    return size == 0 || start.value <= std::numeric_limits<uint64_t>::max() - (size - 1);
  }

  // The address after the last byte. REQUIRES: the range ends below 2^64.
  constexpr GuestAddr end() const { return GuestAddr{start.value + size}; }

  constexpr bool Contains(GuestAddr addr) const { return addr >= start && addr.value - start.value < size; }

  // True if every byte of `other` lies in this range. An empty `other` is contained if its start is inside this range
  // or exactly at its end.
  constexpr bool Contains(const GuestRange& other) const {
    if (other.start < start) return false;
    const uint64_t offset = other.start.value - start.value;
    return offset <= size && other.size <= size - offset;
  }

  // True if the two ranges share a byte.
  constexpr bool Overlaps(const GuestRange& other) const {
    if (size == 0 || other.size == 0) return false;
    return start <= other.start ? other.start.value - start.value < size : start.value - other.start.value < other.size;
  }
};

}  // namespace vmm

#endif  // BASE_GUEST_ADDR_H_
