// What a reader of one dump format gives: the seam between dump/read/vmcore.h, which is the same for
// all of them, and a format.
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

// Of an ELF core, as they stand in the file.
struct ElfHeaders {
  Elf64_Ehdr ehdr = {};
  std::vector<Elf64_Phdr> phdrs;  // in number what PN_XNUM's section header says, where it has one
};

// Something of a file that was passed over because it makes no sense.
struct VmcoreFault {
  std::string rule;  // its short name, as `vmcore check` has for each: "truncated"
  std::string what;
};

struct VmcoreContents {
  VmcoreFormat format = VmcoreFormat::kElf;

  // Never null. It may refer to the CoreFile it was made from.
  std::unique_ptr<PhysicalMemory> memory;

  // All notes; VMCOREINFO too, where a format keeps it elsewhere.
  std::vector<VmcoreNote> notes;

  // What the file says of itself beyond that, for people: {"dump level", "31"}.
  std::vector<std::pair<std::string, std::string>> facts;

  std::vector<VmcoreFault> faults;

  // Whether the file ends too early, and the RAM that `memory` has not for that reason: ascending, disjoint,
  // page-aligned.
  std::optional<CutShort> cut_short;
  std::vector<GuestRange> missing_ram;

  std::optional<ElfHeaders> elf;  // kElf only
};

}  // namespace vmm

#endif  // DUMP_READ_VMCORE_CONTENTS_H_
