// Parses the VMM-FLIGHT note (docs/abi/flight-note.md; the writer is vmm/recorder/flight_recorder.h).
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
  std::vector<FlightRecord> records;  // header.records of them, by time

  // Unimplemented for a later version. InvalidArgument, with the reason, for an impossible note: sizes and numbers that
  // do not fit, clocks that run backwards, records out of order or after the end.
  static absl::StatusOr<FlightNote> Parse(std::span<const uint8_t> desc);
};

// "PIO write", "MMIO read", "interrupted". "other" for an unknown kind.
std::string_view NameOf(FlightKind kind);

// Describes one exit in words: "PIO write 0x3f8 <- 0x41, 1 byte", "MMIO read 0xfee00000 -> 0x1, 4 bytes".
std::string DescribeExit(const FlightRecord& record);

}  // namespace vmm

#endif  // DUMP_FLIGHT_FLIGHT_NOTE_H_
