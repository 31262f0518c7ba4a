// Guest memory at virtual addresses, as one vCPU sees it at this moment.
#ifndef VMM_GDB_VIRTUAL_MEMORY_H_
#define VMM_GDB_VIRTUAL_MEMORY_H_

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/guest_memory.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

struct PlaceInMemory {
  GuestAddr phys;
  bool user = false;  // programs may access the page
};

// A kernel's image that a loader placed in RAM, and the virtual address at which it will run.
struct LoadedImage {
  uint64_t vaddr = 0;
  GuestAddr phys;
  uint64_t size = 0;  // 0: none is known
};

// A view. The memory must outlive it.
class VirtualMemory {
 public:
  // The addresses of a CPU with these registers. With `physical`, addresses are guest-physical. Until the CPU has
  // tables that map the start of `image`, that image is seen at its virtual addresses: a debugger can have breakpoints
  // there before the kernel's first instruction.
  VirtualMemory(GuestMemory& memory, const CpuState& cpu, bool physical, const LoadedImage& image = {})
      : memory_(memory),
        cr0_(cpu.cr0),
        cr3_(cpu.cr3),
        cr4_(cpu.cr4),
        efer_(cpu.efer),
        physical_(physical),
        image_(image) {}

  // Without paging, an address is physical. Tables of 4 and 5 levels are read. With page-table isolation a CPU in user
  // mode has tables without the kernel: then those of the kernel are tried. NotFound if the page is not mapped,
  // Unimplemented for a CPU in 32-bit paging.
  absl::StatusOr<PlaceInMemory> Translate(uint64_t addr) const;

  // As many bytes as can be read from `addr` on, up to out.size(). An error if that is none.
  absl::StatusOr<size_t> Read(uint64_t addr, std::span<uint8_t> out) const;

  // Writes also where the guest may only read. If a later page is not mapped, earlier ones are written all the same.
  absl::Status Write(uint64_t addr, std::span<const uint8_t> data) const;

 private:
  absl::StatusOr<PlaceInMemory> Walk(uint64_t cr3, uint64_t addr) const;
  absl::StatusOr<PlaceInMemory> WalkAll(uint64_t addr) const;  // the kernel's tables, too

  GuestMemory& memory_;
  uint64_t cr0_, cr3_, cr4_, efer_;
  bool physical_;
  LoadedImage image_;
};

}  // namespace vmm

#endif  // VMM_GDB_VIRTUAL_MEMORY_H_
