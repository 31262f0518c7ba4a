// The page tables' view of one address: mapped or not, and with which rights.
#ifndef DUMP_CAUSE_PAGE_STATE_H_
#define DUMP_CAUSE_PAGE_STATE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "base/physical_memory.h"

namespace vmm {

struct PageState {
  bool present = false;
  int level = 0;          // of the entry that decided it: 1 maps 4 KiB, 2 maps 2 MiB, 3 maps 1 GiB
  uint64_t entry = 0;     // and its value
  uint64_t entry_at = 0;  // its physical address
  uint64_t physical = 0;  // of the address itself; of no meaning if not present

  // The rights that all levels together grant. Of no meaning if not present.
  bool writable = false, user = false, executable = false;

  // "present, writable, kernel, no-execute, accessed, dirty"; "not present (level 2 entry 0)".
  std::string Words() const;
};

// Walks the tables under CR3 `root` for `vaddr`, as the CPU does. OutOfRange if a table does not lie in RAM.
absl::StatusOr<PageState> ReadPageState(const PhysicalMemory& memory, uint64_t root, int levels, uint64_t vaddr);

}  // namespace vmm

#endif  // DUMP_CAUSE_PAGE_STATE_H_
