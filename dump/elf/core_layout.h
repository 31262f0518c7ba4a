// Where every byte of a vmcore will go, decided before the first one is written.
//
//   0          ELF header
//   64         program headers: one PT_NOTE, then PT_LOADs for the kernel image, the vCPUs'
//              stacks and, last, RAM
//              (section header 0, only where there are 65535 program headers or more)
//              notes: PRSTATUS of each vCPU, QEMU of each vCPU, VMCOREINFO, further ones, VMM
//   data start, a page boundary: all RAM, block behind block
//   (RAM that is missing has PT_LOADs past the file's end, and e_flags says so)
//
// Image and stacks have no bytes of their own: they point into RAM's. Why each of this is as it
// is, and which reader insists on it: docs/abi/vmcore.md.
#ifndef DUMP_ELF_CORE_LAYOUT_H_
#define DUMP_ELF_CORE_LAYOUT_H_

#include <elf.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "dump/kernel/kernel_map.h"
#include "dump/snapshot/core_note.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

// What goes into a core. All spans are borrowed for the call of PlanCore only.
struct CoreContents {
  std::span<const CpuState> cpus;        // in Linux's CPU order
  std::string_view vmcoreinfo;           // the guest's own text; empty: no such note
  std::span<const CoreNote> more_notes;  // behind VMCOREINFO; of type 0 all
  std::string_view metadata;             // our own note's JSON; empty: no such note
  std::span<const CoreNote> all_notes;   // not empty: the notes, in place of those of the above
  std::vector<VirtualSegment> segments;  // kernel image, then stacks
  std::optional<uint64_t> page_offset;   // none: RAM gets addresses that are not canonical
  std::span<const GuestRange> ram;       // ascending, disjoint, page-aligned
  std::span<const GuestRange> missing;   // RAM that is lost; as `ram`, and no part of it
};

struct CoreLayout {
  // A block of RAM and the file offset of its first byte.
  struct Block {
    GuestRange range;
    uint64_t offset = 0;
  };

  std::vector<Elf64_Phdr> phdrs;  // [0] is the PT_NOTE
  std::vector<CoreNote> notes;
  std::string header;  // the file's first bytes, up to the end of the notes
  std::vector<Block> ram;
  size_t missing = 0;  // so many of the last phdrs are of RAM that is lost
  uint64_t data_offset = 0;
  uint64_t file_size = 0;
};

// Where RAM lies in kernel-virtual space if nobody knows: never 0 and never the physical
// address, which drgn would take for user space.
inline constexpr uint64_t kNonCanonicalBase = 1ull << 63;

// Pure. InvalidArgument where there is no vCPU, or less than two pages of RAM, of which no core
// can be made that crash reads, or where a further note has a type that crash could take for another. Segments are
// clipped to RAM, and split where RAM is.
absl::StatusOr<CoreLayout> PlanCore(const CoreContents& contents);

}  // namespace vmm

#endif  // DUMP_ELF_CORE_LAYOUT_H_
