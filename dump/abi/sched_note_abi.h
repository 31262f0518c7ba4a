// The VMM-SCHED note: what the host's scheduler gave one vCPU's thread, by time (docs/abi/sched-note.md).
// Ours; how it grows: flight_note_abi.h.
#ifndef DUMP_ABI_SCHED_NOTE_ABI_H_
#define DUMP_ABI_SCHED_NOTE_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

inline constexpr char kSchedNoteName[] = "VMM-SCHED";  // n_type 0
inline constexpr uint32_t kSchedNoteVersion = 1;

struct SchedNoteHeader {
  uint32_t version;      // kSchedNoteVersion
  uint32_t header_size;  // of this struct
  uint32_t record_size;  // of SchedRecord
  uint32_t records;      // behind the header, oldest first
  uint32_t vcpu;
  uint32_t interval_us;  // between two samples, where none was thinned out
};
static_assert(sizeof(SchedNoteHeader) == 24);

// Sums since the thread began: a record that is left out costs resolution, and no time.
struct SchedRecord {
  uint64_t tsc;      // host TSC when it was read
  uint64_t run_ns;   // on a CPU: field 1 of /proc/.../schedstat
  uint64_t wait_ns;  // in the run queue: field 2; the kernel adds a wait when it is over
};
static_assert(sizeof(SchedRecord) == 24);

}  // namespace vmm

#endif  // DUMP_ABI_SCHED_NOTE_ABI_H_
