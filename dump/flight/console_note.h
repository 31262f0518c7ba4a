// Reads and writes the VMM-CONSOLE note (docs/abi/console-note.md).
#ifndef DUMP_FLIGHT_CONSOLE_NOTE_H_
#define DUMP_FLIGHT_CONSOLE_NOTE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/abi/console_note_abi.h"

namespace vmm {

struct ConsoleLine {
  uint64_t tsc = 0;        // the host's TSC when its first byte came
  std::string text;        // any bytes but a newline; may be only the line's beginning
  uint32_t full_size = 0;  // bytes of the whole line

  friend bool operator==(const ConsoleLine&, const ConsoleLine&) = default;
};

struct ConsoleNote {
  // Far more than the writer keeps (vmm/recorder/console_recorder.h).
  static constexpr uint32_t kMaxLines = 16384;
  static constexpr uint32_t kMaxText = 4096;  // bytes of one line

  uint64_t lines_seen = 0;
  std::vector<ConsoleLine> lines;  // the last of those seen, by time

  std::string Serialise() const;

  // Unimplemented for a later version. InvalidArgument, with the reason, for sizes that do not fit, more or longer
  // lines than the limits above, and times that decrease.
  static absl::StatusOr<ConsoleNote> Parse(std::span<const uint8_t> desc);
};

}  // namespace vmm

#endif  // DUMP_FLIGHT_CONSOLE_NOTE_H_
