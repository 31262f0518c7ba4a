// Reads and writes the VMM-KVM-STATS note (docs/abi/kvm-stats-note.md).
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

// One of KVM's counters, with KVM's own description of it (linux/kvm.h, struct kvm_stats_desc).
struct KvmStat {
  std::string name;  // "halt_exits"
  uint64_t value = 0;
  uint32_t flags = 0;
  int16_t exponent = 0;

  friend bool operator==(const KvmStat&, const KvmStat&) = default;
};

// The value of the counter with that name.
std::optional<uint64_t> FindKvmStat(std::span<const KvmStat> stats, std::string_view name);

// The vCPU counters that say most about how it lived, in display order. A given KVM has only some of them, because
// their names have changed over time.
std::span<const std::string_view> TellingVcpuStats();

struct KvmStatsNote {
  // More than any KVM has.
  static constexpr uint32_t kMaxStats = 1024;

  uint32_t vcpu = kKvmStatsOfVm;
  std::vector<KvmStat> stats;

  std::string Serialise() const;  // a name that is too long is cut

  // Unimplemented for a later version. InvalidArgument, with the reason, for sizes that do not fit, more than kMaxStats
  // counters, and a name that is empty or has characters other than a-z, A-Z, 0-9 and _.
  static absl::StatusOr<KvmStatsNote> Parse(std::span<const uint8_t> desc);
};

}  // namespace vmm

#endif  // DUMP_FLIGHT_KVM_STATS_NOTE_H_
