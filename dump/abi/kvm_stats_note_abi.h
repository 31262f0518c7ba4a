// The VMM-KVM-STATS note: KVM's own counters of the VM or of one vCPU at the end (docs/abi/kvm-stats-note.md). The
// format is ours; flight_note_abi.h says how it may grow.
#ifndef DUMP_ABI_KVM_STATS_NOTE_ABI_H_
#define DUMP_ABI_KVM_STATS_NOTE_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

inline constexpr char kKvmStatsNoteName[] = "VMM-KVM-STATS";  // n_type 0
inline constexpr uint32_t kKvmStatsNoteVersion = 1;
inline constexpr uint32_t kKvmStatsOfVm = 0xffffffff;  // in place of a vCPU's number

struct KvmStatsNoteHeader {
  uint32_t version;      // kKvmStatsNoteVersion
  uint32_t header_size;  // of this struct
  uint32_t record_size;  // of KvmStatRecord
  uint32_t records;      // after the header, in KVM's order
  uint32_t vcpu;         // or kKvmStatsOfVm
  uint32_t reserved;     // 0
};
static_assert(sizeof(KvmStatsNoteHeader) == 24);

struct KvmStatRecord {
  char name[48];  // as KVM spells it, NUL-terminated
  uint64_t value;
  uint32_t flags;     // struct kvm_stats_desc: type, unit and base
  int16_t exponent;   // struct kvm_stats_desc: of the base
  uint16_t reserved;  // 0
};
static_assert(sizeof(KvmStatRecord) == 64);
static_assert(offsetof(KvmStatRecord, value) == 48);
static_assert(offsetof(KvmStatRecord, exponent) == 60);

}  // namespace vmm

#endif  // DUMP_ABI_KVM_STATS_NOTE_ABI_H_
