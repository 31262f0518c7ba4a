// The VMM-SCHED note: the time on a CPU and in the run queue that the host's scheduler gave one vCPU's thread, over
// time (docs/abi/sched-note.md). The format is ours; flight_note_abi.h says how it may grow.
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
  uint32_t records;      // after the header, oldest first
  uint32_t vcpu;
  uint32_t interval_us;  // between two samples, if none was thinned out
};
static_assert(sizeof(SchedNoteHeader) == 24);

// Sums since the thread began. So a record that is left out costs resolution but no time.
struct SchedRecord {
  uint64_t tsc;      // host TSC when the sums were read
  uint64_t run_ns;   // on a CPU: field 1 of /proc/.../schedstat
  uint64_t wait_ns;  // in the run queue: field 2; the kernel adds a wait when it is over
};
static_assert(sizeof(SchedRecord) == 24);

}  // namespace vmm

#endif  // DUMP_ABI_SCHED_NOTE_ABI_H_
