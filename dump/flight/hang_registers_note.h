// Reads and writes the VMM-HANG-REGS note (docs/abi/hang-registers-note.md).
#ifndef DUMP_FLIGHT_HANG_REGISTERS_NOTE_H_
#define DUMP_FLIGHT_HANG_REGISTERS_NOTE_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/abi/hang_registers_note_abi.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

struct HangRegistersNote {
  int nmi_vcpu = -1;   // the vCPU that got the NMI; -1: none was sent
  int destroyed = -1;  // the vCPU that the NMI destroyed; -1: none. Its PRSTATUS and QEMU notes then hold its `before`

  // In vCPU order. Empty for a vCPU that did not answer in time.
  std::vector<std::optional<CpuState>> before;

  std::string Serialise() const;

  // Unimplemented for a later version. InvalidArgument, with the reason, for sizes that do not fit, and vCPUs that are
  // out of order or do not exist.
  static absl::StatusOr<HangRegistersNote> Parse(std::span<const uint8_t> desc);
};

}  // namespace vmm

#endif  // DUMP_FLIGHT_HANG_REGISTERS_NOTE_H_
