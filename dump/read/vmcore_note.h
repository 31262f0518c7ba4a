// One note of a dump file, as it is in the file.
#ifndef DUMP_READ_VMCORE_NOTE_H_
#define DUMP_READ_VMCORE_NOTE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/budget.h"

namespace vmm {

struct VmcoreNote {
  std::string name;  // up to its NUL; any bytes
  uint32_t type = 0;
  std::vector<uint8_t> desc;

  uint32_t namesz = 0;  // as in the file: "CORE" with its NUL is 5
  uint64_t offset = 0;  // of the note's header in the file
};

// More than the largest Linux needs: two notes for each of 8192 CPUs.
inline constexpr size_t kMaxNotes = kNotesBudget.steps;
inline constexpr uint64_t kMaxNoteBytes = kNotesBudget.bytes;

struct ParsedNotes {
  std::vector<VmcoreNote> notes;
  std::string fault;  // why the bytes after the last note are no note; empty: all bytes are notes
};

// Parses notes. Each is {n_namesz, n_descsz, n_type}, a name and a descriptor; name and descriptor are each padded to 4
// bytes. `offset` is the file offset of bytes[0]. All-zero padding at the end is no fault. Never fails: returns the
// notes before a fault. Returns at most kMaxNotes.
ParsedNotes ParseNotes(std::span<const uint8_t> bytes, uint64_t offset);

}  // namespace vmm

#endif  // DUMP_READ_VMCORE_NOTE_H_
