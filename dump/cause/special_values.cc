#include "dump/cause/special_values.h"

#include <string_view>

#include "absl/strings/str_format.h"
#include "base/guest_addr.h"

namespace vmm {
namespace {

constexpr uint64_t kLargestError = 4095;  // MAX_ERRNO

struct Poison {
  uint64_t value;
  std::string_view meaning;
};

// POISON_POINTER_DELTA of x86-64 is 0xdead000000000000.
constexpr Poison kPointers[] = {
    {0xdead000000000122, "LIST_POISON2: `prev` of an entry that was deleted from its list"},
    {0xdead000000000100, "LIST_POISON1: `next` of an entry that was deleted from its list"},
    {0xdead000000000000, "a poisoned pointer of the kernel's"},
    {0xdead4ead00000000, "SPINLOCK_MAGIC, a lock's debug field"},
};

// Bytes that fill memory. The lowest two bytes of a pointer differ if a field's offset was added to it.
constexpr Poison kFills[] = {
    {0x6b, "POISON_FREE: the object was freed"},
    {0x5a, "POISON_INUSE: the object was never initialised"},
    {0xaa, "PAGE_POISON: the page was freed"},
    {0xcc, "POISON_FREE_INITMEM: the kernel's init memory was freed"},
};

std::string Plus(uint64_t offset) { return offset == 0 ? "" : absl::StrFormat("+%#x", offset); }

}  // namespace

std::optional<AddressMeaning> ExplainSpecialValue(uint64_t value) {
  if (value < kPageSize) return AddressMeaning{Region::kNullPage, "NULL" + Plus(value), std::nullopt};
  if (const uint64_t error = -value; error <= kLargestError) {
    return AddressMeaning{Region::kError, absl::StrFormat("the number -%d: an error code, or NULL-%#x", error, error),
                          std::nullopt};
  }
  for (const Poison& poison : kPointers) {
    if (value >= poison.value && value - poison.value < kPageSize) {
      return AddressMeaning{Region::kPoison,
                            absl::StrFormat("%#x%s, %s", poison.value, Plus(value - poison.value), poison.meaning),
                            std::nullopt};
    }
  }
  for (const Poison& poison : kFills) {
    const uint64_t whole = poison.value * 0x0101010101010101;
    if (value >> 16 == whole >> 16) {
      return AddressMeaning{Region::kPoison, absl::StrFormat("filled with %#x, %s", poison.value, poison.meaning),
                            std::nullopt};
    }
  }
  return std::nullopt;
}

}  // namespace vmm
