// Reads the guest kernel's memory by the kernel's own virtual addresses, from live RAM or from the RAM in a file.
#ifndef DUMP_KERNEL_KERNEL_MEMORY_H_
#define DUMP_KERNEL_KERNEL_MEMORY_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/physical_memory.h"
#include "dump/kernel/kernel_map.h"

namespace vmm {

// A view, cheap to copy; the PhysicalMemory must outlive it. Any thread may call.
class KernelMemory {
 public:
  KernelMemory(const PhysicalMemory& memory, const KernelMap& map);

  const KernelMap& map() const { return map_; }

  // True if `vaddr` is within the kernel's image: its code, its static data, its symbols.
  bool IsImage(uint64_t vaddr) const { return vaddr - map_.image.vaddr < map_.image.range.size; }

  // Fills `out` from `vaddr` on. The image and the direct map each lie at one fixed distance from physical memory, so
  // they are read without the page tables. This also reaches a page of the image that the kernel has unmapped since.
  // The rest goes through the page tables. NotFound if a page is not mapped or the address is not in the kernel's half,
  // OutOfRange if it is not RAM; `out` is then unspecified.
  absl::Status Read(uint64_t vaddr, std::span<uint8_t> out) const;

  template <typename T>
  absl::StatusOr<T> ReadObject(uint64_t vaddr) const {
    T object;
    RETURN_IF_ERROR(Read(vaddr, std::span<uint8_t>(reinterpret_cast<uint8_t*>(&object), sizeof(T))));
    return object;
  }

  // Reads `size` bytes. The caller must keep `size` sane: the bytes are allocated before they are read.
  absl::StatusOr<std::vector<uint8_t>> ReadBytes(uint64_t vaddr, size_t size) const;

  // Reads the bytes up to a NUL, at most `limit`. If a later page cannot be read, returns the bytes before it.
  absl::StatusOr<std::string> ReadString(uint64_t vaddr, size_t limit) const;

 private:
  // The physical address of `vaddr`, and the number of bytes for which the same distance holds.
  struct Run {
    GuestAddr phys;
    uint64_t size = 0;
  };
  absl::StatusOr<Run> Translate(uint64_t vaddr) const;

  const PhysicalMemory* memory_;
  KernelMap map_;
  uint64_t ram_end_ = 0;
};

}  // namespace vmm

#endif  // DUMP_KERNEL_KERNEL_MEMORY_H_
