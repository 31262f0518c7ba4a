// Reads x86-64 page tables of 4 or 5 levels from a guest's RAM (Intel SDM vol. 3, section 4.5). The guest controls
// their contents, so a walk ends even if they hold loops, aliases or rubbish.
#ifndef DUMP_PAGING_PAGE_TABLES_H_
#define DUMP_PAGING_PAGE_TABLES_H_

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "base/meter.h"
#include "base/physical_memory.h"

namespace vmm {

// The first canonical address of the upper half, which belongs to the kernel, for tables of 4 or 5 levels.
constexpr uint64_t FirstOfKernelHalf(int levels) { return levels == 5 ? 0xff00000000000000 : 0xffff800000000000; }

// A guest-virtual page and its place in physical memory.
struct PageMapping {
  uint64_t vaddr = 0;
  GuestAddr phys;
  uint64_t size = 0;  // 4 KiB, 2 MiB or 1 GiB
};

// A view, cheap to copy; `memory` must outlive it. Any thread may call.
class PageTables {
 public:
  // The tables under `root`, a page-aligned address as in CR3. `levels` is 4 or 5.
  PageTables(const PhysicalMemory& memory, GuestAddr root, int levels)
      : memory_(&memory), root_(root), levels_(levels) {}

  // The tables of a CPU with these control registers.
  static PageTables Of(const PhysicalMemory& memory, uint64_t cr3, uint64_t cr4) {
    constexpr uint64_t kAddress = 0x000ffffffffff000, kLa57 = 1 << 12;  // SDM vol. 3, sections 4.5.2 and 2.5
    return PageTables(memory, GuestAddr{cr3 & kAddress}, (cr4 & kLa57) != 0 ? 5 : 4);
  }

  GuestAddr root() const { return root_; }
  int levels() const { return levels_; }

  // The entry of the top table that covers `vaddr`.
  absl::StatusOr<uint64_t> TopEntry(uint64_t vaddr) const;

  // The physical address of `vaddr`. NotFound if it is not mapped, OutOfRange if a table does not lie in RAM. The
  // result itself need not lie in RAM.
  absl::StatusOr<GuestAddr> Translate(uint64_t vaddr) const;

  // Calls `visit` for each page mapped in [first, last], ascending, until `visit` returns false. Skips a table that it
  // has walked before at the same level: KASAN's shadow and espfix map one table thousands of times, and a hostile
  // guest could do so without end. For the same reason the walk ends after kMaxTables tables, and returns false. Skips
  // tables outside RAM. `first` and `last` are canonical and in the same half. `meter`, if not null, pays a step for
  // each table, and ends the walk as kMaxTables does.
  static constexpr int kMaxTables = 65536;
  bool ForEachMapping(uint64_t first, uint64_t last, const std::function<bool(const PageMapping&)>& visit,
                      Meter* meter = nullptr) const;

 private:
  const PhysicalMemory* memory_;
  GuestAddr root_;
  int levels_;
};

}  // namespace vmm

#endif  // DUMP_PAGING_PAGE_TABLES_H_
