// The VMM-FLIGHT note read back (docs/abi/flight-note.md; the writer is vmm/recorder/flight_recorder.h).
#ifndef DUMP_FLIGHT_FLIGHT_NOTE_H_
#define DUMP_FLIGHT_FLIGHT_NOTE_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/abi/flight_note_abi.h"

namespace vmm {

struct FlightNote {
  FlightNoteHeader header;
  std::vector<FlightRecord> records;  // as many as the header says, by time

  // InvalidArgument, with the reason, for a note that cannot be what it says: sizes and numbers that do not fit,
  // clocks that run backwards, records out of their order or after the end. Unimplemented for a later version.
  static absl::StatusOr<FlightNote> Parse(std::span<const uint8_t> desc);
};

// "PIO write", "MMIO read", "interrupted": of a kind that is none of ours "other".
std::string_view NameOf(FlightKind kind);

// "outb 0x3f8 <- 0x41", "MMIO read 0xfee00000 -> 0x1, 4 bytes": one exit in words.
std::string DescribeExit(const FlightRecord& record);

}  // namespace vmm

#endif  // DUMP_FLIGHT_FLIGHT_NOTE_H_
