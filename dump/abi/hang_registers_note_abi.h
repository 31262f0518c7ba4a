// The VMM-HANG-REGS note: the registers of a hanging guest from before it was sent an NMI
// (docs/abi/hang-registers-note.md). The format is ours; flight_note_abi.h says how it may grow.
#ifndef DUMP_ABI_HANG_REGISTERS_NOTE_ABI_H_
#define DUMP_ABI_HANG_REGISTERS_NOTE_ABI_H_

#include <cstddef>
#include <cstdint>

#include "dump/abi/elf_core_abi.h"

namespace vmm {

inline constexpr char kHangRegistersNoteName[] = "VMM-HANG-REGS";  // n_type 0
inline constexpr uint32_t kHangRegistersNoteVersion = 1;

struct HangRegistersNoteHeader {
  uint32_t version;      // kHangRegistersNoteVersion
  uint32_t header_size;  // of this struct
  uint32_t record_size;  // of HangRegistersRecord
  uint32_t records;      // after the header, one per vCPU, in vCPU order
  int32_t nmi_vcpu;      // the vCPU that was sent the NMI; -1: none was sent
  int32_t destroyed;     // the vCPU that the NMI destroyed; -1: none
};
static_assert(sizeof(HangRegistersNoteHeader) == 24);
static_assert(offsetof(HangRegistersNoteHeader, record_size) == 8);
static_assert(offsetof(HangRegistersNoteHeader, nmi_vcpu) == 16);
static_assert(offsetof(HangRegistersNoteHeader, destroyed) == 20);

// flags
inline constexpr uint32_t kHangRegistersKnown = 1 << 0;  // else the vCPU was in a device, and all that follows is zero
inline constexpr uint32_t kHangRegistersStarted = 1 << 1;  // by the guest; else the registers are zero
inline constexpr uint32_t kHangRegistersHalted = 1 << 2;   // in HLT

struct HangRegistersRecord {
  uint32_t vcpu;
  uint32_t flags;
  QemuCpuState state;  // as in a QEMU note
};
static_assert(sizeof(HangRegistersRecord) == 448);
static_assert(offsetof(HangRegistersRecord, state) == 8);

}  // namespace vmm

#endif  // DUMP_ABI_HANG_REGISTERS_NOTE_ABI_H_
