// The VMM-FLIGHT note: the host's view of one vCPU up to its end (docs/abi/flight-note.md). The format is ours, so only
// its version keeps readers right. A new field goes to the end of its struct. header_size and record_size tell a reader
// which fields the writer knew.
#ifndef DUMP_ABI_FLIGHT_NOTE_ABI_H_
#define DUMP_ABI_FLIGHT_NOTE_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

inline constexpr char kFlightNoteName[] = "VMM-FLIGHT";  // n_type 0
inline constexpr uint32_t kFlightNoteVersion = 1;

// The reason why the vCPU left the guest.
enum class FlightKind : uint8_t {
  kNone = 0,
  kPioRead = 1,
  kPioWrite = 2,
  kMmioRead = 3,
  kMmioWrite = 4,
  kInterrupted = 5,  // by a signal of ours
  kShutdown = 6,
  kInternalError = 7,  // address: the suberror
  kFailEntry = 8,      // address: the hardware's reason
  kHalt = 9,
  kBreakpoint = 10,  // address: the program counter
  kOther = 11,       // address: KVM's exit reason
};

struct FlightNoteHeader {
  uint32_t version;      // kFlightNoteVersion
  uint32_t header_size;  // of this struct
  uint32_t record_size;  // of FlightRecord
  uint32_t records;      // after the header, oldest first
  uint32_t vcpu;
  uint32_t reserved;   // 0
  uint64_t exits;      // in all; `records` is at most this
  uint64_t start_tsc;  // host TSC when the vCPU's thread began
  uint64_t start_ns;   // CLOCK_MONOTONIC at that moment
  uint64_t end_tsc;    // both again when the thread ended; the four give the TSC's rate
  uint64_t end_ns;
  uint64_t end_realtime_ns;   // CLOCK_REALTIME at the end: nanoseconds since 1970
  uint64_t guest_tsc_offset;  // guest TSC = host TSC + this, modulo 2^64; 0: not known
  uint64_t run_ns;            // the thread's time on a CPU: field 1 of /proc/.../schedstat
  uint64_t wait_ns;           // its time in the run queue: field 2 of the same
};
static_assert(sizeof(FlightNoteHeader) == 96);
static_assert(offsetof(FlightNoteHeader, exits) == 24);
static_assert(offsetof(FlightNoteHeader, wait_ns) == 88);

struct FlightRecord {
  uint64_t tsc;       // host TSC at the exit
  uint32_t handling;  // TSC ticks from the exit to the next entry; 0xffffffff: that many or more
  FlightKind kind;
  uint8_t size;    // bytes of the access, or of one of its elements
  uint16_t count;  // elements of a string instruction
  uint64_t address;
  uint64_t data;  // written by the guest, or given to it; at most the first 8 bytes
};
static_assert(sizeof(FlightRecord) == 32);
static_assert(offsetof(FlightRecord, kind) == 12);
static_assert(offsetof(FlightRecord, address) == 16);

inline constexpr uint32_t kHandlingOrMore = 0xffffffff;  // FlightRecord::handling: that many or more

}  // namespace vmm

#endif  // DUMP_ABI_FLIGHT_NOTE_ABI_H_
