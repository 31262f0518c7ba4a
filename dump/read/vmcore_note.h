// One note of a dump file, as it was found there.
#ifndef DUMP_READ_VMCORE_NOTE_H_
#define DUMP_READ_VMCORE_NOTE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vmm {

struct VmcoreNote {
  std::string name;  // up to its NUL; any bytes
  uint32_t type = 0;
  std::vector<uint8_t> desc;

  uint32_t namesz = 0;  // as it stands in the file: "CORE" with its NUL is 5
  uint64_t offset = 0;  // of the note's header in the file
};

// More than the 8192 CPUs of the largest Linux need, two notes each.
inline constexpr size_t kMaxNotes = 65536;
inline constexpr uint64_t kMaxNoteBytes = 64 << 20;

struct ParsedNotes {
  std::vector<VmcoreNote> notes;
  std::string fault;  // why the bytes behind the last note are no note; empty: they all were
};

// Notes of {n_namesz, n_descsz, n_type}, name and descriptor each padded to 4 bytes. `offset` is the
// place of bytes[0] in the file. All-zero padding at the end is no fault. Never fails: what was read
// before a fault counts. At most kMaxNotes.
ParsedNotes ParseNotes(std::span<const uint8_t> bytes, uint64_t offset);

}  // namespace vmm

#endif  // DUMP_READ_VMCORE_NOTE_H_
