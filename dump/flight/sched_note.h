// The VMM-SCHED note, read and written (docs/abi/sched-note.md).
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
  std::vector<SchedRecord> records;  // by time; sums that never fall

  std::string Serialise() const;

  // InvalidArgument, with the reason, for sizes that do not fit, and times or sums that fall. Unimplemented for a
  // later version.
  static absl::StatusOr<SchedNote> Parse(std::span<const uint8_t> desc);
};

}  // namespace vmm

#endif  // DUMP_FLIGHT_SCHED_NOTE_H_
