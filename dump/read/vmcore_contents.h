// The contents of a dump file, as the reader of its format returns them. This is the seam between dump/read/vmcore.h,
// which is the same for all formats, and a single format.
#ifndef DUMP_READ_VMCORE_CONTENTS_H_
#define DUMP_READ_VMCORE_CONTENTS_H_

#include <elf.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/physical_memory.h"
#include "dump/file/cut_short.h"
#include "dump/read/vmcore_note.h"

namespace vmm {

enum class VmcoreFormat { kElf, kKdump };

// The headers of an ELF core, as they are in the file.
struct ElfHeaders {
  Elf64_Ehdr ehdr = {};
  std::vector<Elf64_Phdr> phdrs;  // with PN_XNUM, as many as section header 0 says
};

// A part of a file that was skipped because it makes no sense.
struct VmcoreFault {
  std::string rule;  // short name, as in `vmcore check`: "truncated"
  std::string what;
};

struct VmcoreContents {
  VmcoreFormat format = VmcoreFormat::kElf;

  // Never null. It may refer to the CoreFile it was made from.
  std::unique_ptr<PhysicalMemory> memory;

  // All notes. Includes VMCOREINFO even if the format keeps it elsewhere.
  std::vector<VmcoreNote> notes;

  // Other facts that the file states about itself, for people: {"dump level", "31"}.
  std::vector<std::pair<std::string, std::string>> facts;

  std::vector<VmcoreFault> faults;

  // `cut_short` is set if the file ends too early. `missing_ram` is the RAM that `memory` lacks for that reason:
  // ascending, disjoint, page-aligned.
  std::optional<CutShort> cut_short;
  std::vector<GuestRange> missing_ram;

  std::optional<ElfHeaders> elf;  // kElf only
};

}  // namespace vmm

#endif  // DUMP_READ_VMCORE_CONTENTS_H_
