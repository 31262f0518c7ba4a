// The VMM-KVM-STATS note, read and written (docs/abi/kvm-stats-note.md).
#ifndef DUMP_FLIGHT_KVM_STATS_NOTE_H_
#define DUMP_FLIGHT_KVM_STATS_NOTE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/abi/kvm_stats_note_abi.h"

namespace vmm {

// One of KVM's counters, as it describes and counts it (linux/kvm.h, struct kvm_stats_desc).
struct KvmStat {
  std::string name;  // "halt_exits"
  uint64_t value = 0;
  uint32_t flags = 0;
  int16_t exponent = 0;

  friend bool operator==(const KvmStat&, const KvmStat&) = default;
};

// The value of the one with that name.
std::optional<uint64_t> FindKvmStat(std::span<const KvmStat> stats, std::string_view name);

// Of a vCPU's counters those that tell the most about how it lived, in the order in which they are shown. A KVM has
// a selection of them: their names have changed with time.
std::span<const std::string_view> TellingVcpuStats();

struct KvmStatsNote {
  // More than any KVM has.
  static constexpr uint32_t kMaxStats = 1024;

  uint32_t vcpu = kKvmStatsOfVm;
  std::vector<KvmStat> stats;

  std::string Serialise() const;  // a name that is too long is cut

  // InvalidArgument, with the reason, for sizes that do not fit, more than kMaxStats, and a name that is empty or
  // has other characters than a-z, A-Z, 0-9 and _. Unimplemented for a later version.
  static absl::StatusOr<KvmStatsNote> Parse(std::span<const uint8_t> desc);
};

}  // namespace vmm

#endif  // DUMP_FLIGHT_KVM_STATS_NOTE_H_
