// Guest RAM as its readers see it: the page-table walker, the VMCOREINFO scan, the core
// writer, the offline tool. Live RAM (base/guest_memory.h) and the RAM inside a vmcore
// file are two implementations; who reads does not know which it has.
#ifndef BASE_PHYSICAL_MEMORY_H_
#define BASE_PHYSICAL_MEMORY_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "base/status.h"

namespace vmm {

// Implementations allow concurrent calls of const methods from any thread.
class PhysicalMemory {
 public:
  virtual ~PhysicalMemory() = default;

  // All RAM, ascending, page-aligned, disjoint. Constant over the object's life.
  virtual std::vector<GuestRange> Ranges() const = 0;

  // The parts of Ranges() that may hold something other than zeros: ascending, disjoint,
  // page-aligned. What lies outside reads as zeros and was never touched.
  virtual absl::StatusOr<std::vector<GuestRange>> DataExtents() const = 0;

  // Fills `out` from `addr` on. Untouched memory reads as zeros and stays untouched.
  // OutOfRange where a byte is not RAM; `out` is unspecified then.
  virtual absl::Status Read(GuestAddr addr, std::span<uint8_t> out) const = 0;

  // The bytes of `range` in place, where they are mapped in this process, else an empty span.
  // Reading the span of a hole of live RAM allocates it: only lend what DataExtents() named.
  virtual std::span<const uint8_t> Lend(GuestRange range) const {
    (void)range;
    return {};
  }

  // A plain struct read from `addr`.
  template <typename T>
  absl::StatusOr<T> ReadObject(GuestAddr addr) const {
    T object;
    RETURN_IF_ERROR(Read(addr, std::span<uint8_t>(reinterpret_cast<uint8_t*>(&object), sizeof(T))));
    return object;
  }
};

}  // namespace vmm

#endif  // BASE_PHYSICAL_MEMORY_H_
