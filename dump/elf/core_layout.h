// The place of every byte of a vmcore, decided before the first one is written.
//
//   0          ELF header
//   64         program headers: one PT_NOTE, then PT_LOADs for the kernel image, the vCPUs'
//              stacks and, last, RAM
//              (section header 0, only if there are 65535 program headers or more)
//              notes: PRSTATUS of each vCPU, QEMU of each vCPU, VMCOREINFO, further ones, VMM
//   data start, a page boundary: all RAM, block after block
//   (missing RAM has PT_LOADs past the file's end, and e_flags says so)
//
// Image and stacks have no bytes of their own: they point into RAM's. docs/abi/vmcore.md gives the reason for each of
// these choices, and the reader that insists on it.
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

// The contents of a core. All spans are borrowed, only for the call of PlanCore.
struct CoreContents {
  std::span<const CpuState> cpus;        // in Linux's CPU order
  std::string_view vmcoreinfo;           // the guest's own text; empty: no such note
  std::span<const CoreNote> more_notes;  // after VMCOREINFO; all of type 0
  std::string_view metadata;             // our own note's JSON; empty: no such note
  std::span<const CoreNote> all_notes;   // if not empty, replaces the notes from the fields above
  std::optional<CoreNote> xen_note;      // of a Xen machine: the last note, and QEMU notes get another name
  std::vector<VirtualSegment> segments;  // kernel image, then stacks
  std::optional<uint64_t> page_offset;   // none: RAM gets non-canonical addresses
  std::span<const GuestRange> ram;       // ascending, disjoint, page-aligned
  std::span<const GuestRange> missing;   // lost RAM; same form as `ram`, disjoint from it
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
  size_t missing = 0;  // number of phdrs, at the end, that are of lost RAM
  uint64_t data_offset = 0;
  uint64_t file_size = 0;
};

// RAM's kernel-virtual base if the real one is unknown. It is never 0 and never the physical address, because drgn
// would take that for user space.
inline constexpr uint64_t kNonCanonicalBase = 1ull << 63;

// Pure. Segments are clipped to RAM, and split where RAM is split. InvalidArgument if there is no vCPU or less than two
// pages of RAM, because crash could not read such a core, or if a further note has a type that crash could mistake for
// another.
absl::StatusOr<CoreLayout> PlanCore(const CoreContents& contents);

}  // namespace vmm

#endif  // DUMP_ELF_CORE_LAYOUT_H_
