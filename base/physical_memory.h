// Guest RAM as its readers see it: the page-table walker, the VMCOREINFO scan, the core writer and the offline tool.
// Live RAM (base/guest_memory.h) and the RAM inside a vmcore file are two implementations. A reader does not know which
// one it has.
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

  // All RAM, in ascending order, page-aligned and disjoint. Constant over the object's life.
  virtual std::vector<GuestRange> Ranges() const = 0;

  // The parts of Ranges() that may hold something other than zeros: ascending, disjoint, page-aligned. Everything
  // outside them reads as zeros and was never touched.
  virtual absl::StatusOr<std::vector<GuestRange>> DataExtents() const = 0;

  // Fills `out` from `addr` on. Untouched memory reads as zeros and stays untouched. OutOfRange if any byte is not RAM;
  // `out` is then unspecified.
  virtual absl::Status Read(GuestAddr addr, std::span<uint8_t> out) const = 0;

  // The bytes of `range` in place if they are mapped in this process, else an empty span. Reading the span over a hole
  // of live RAM allocates it, so lend only ranges that DataExtents() returned.
  virtual std::span<const uint8_t> Lend(GuestRange range) const {
    (void)range;
    return {};
  }

  // Reads a plain struct from `addr`.
  template <typename T>
  absl::StatusOr<T> ReadObject(GuestAddr addr) const {
    T object;
    RETURN_IF_ERROR(Read(addr, std::span<uint8_t>(reinterpret_cast<uint8_t*>(&object), sizeof(T))));
    return object;
  }
};

}  // namespace vmm

#endif  // BASE_PHYSICAL_MEMORY_H_
