// Reads and writes the VMM-SCHED note (docs/abi/sched-note.md).
#ifndef DUMP_FLIGHT_SCHED_NOTE_H_
#define DUMP_FLIGHT_SCHED_NOTE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/abi/sched_note_abi.h"

namespace vmm {

struct SchedNote {
  uint32_t vcpu = 0;
  uint32_t interval_us = 0;
  std::vector<SchedRecord> records;  // by time; sums never decrease

  std::string Serialise() const;

  // Unimplemented for a later version. InvalidArgument, with the reason, for sizes that do not fit, and times or sums
  // that decrease.
  static absl::StatusOr<SchedNote> Parse(std::span<const uint8_t> desc);
};

}  // namespace vmm

#endif  // DUMP_FLIGHT_SCHED_NOTE_H_
