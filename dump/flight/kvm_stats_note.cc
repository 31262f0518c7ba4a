#include "dump/flight/kvm_stats_note.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dump/flight/note_reader.h"

namespace vmm {
namespace {

bool IsStatName(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

std::optional<uint64_t> FindKvmStat(std::span<const KvmStat> stats, std::string_view name) {
  const auto found = std::ranges::find(stats, name, &KvmStat::name);
  if (found == stats.end()) return std::nullopt;
  return found->value;
}

// The names are from arch/x86/kvm/x86.c, kvm_vcpu_stats_desc, and virt/kvm's KVM_GENERIC_VCPU_STATS.
std::span<const std::string_view> TellingVcpuStats() {
  static constexpr auto kNames = std::to_array<std::string_view>({"exits",
                                                                  "io_exits",
                                                                  "mmio_exits",
                                                                  "signal_exits",
                                                                  "halt_exits",
                                                                  "irq_exits",
                                                                  "nmi_window_exits",
                                                                  "irq_window_exits",
                                                                  "request_irq_exits",
                                                                  "irq_injections",
                                                                  "nmi_injections",
                                                                  "insn_emulation",
                                                                  "insn_emulation_fail",
                                                                  "pf_taken",
                                                                  "preemption_reported",
                                                                  "halt_attempted_poll",
                                                                  "halt_successful_poll",
                                                                  "halt_wakeup",
                                                                  "halt_wait_ns",
                                                                  "halt_poll_success_ns",
                                                                  "halt_poll_fail_ns"});
  return kNames;
}

std::string KvmStatsNote::Serialise() const {
  const KvmStatsNoteHeader header = {.version = kKvmStatsNoteVersion,
                                     .header_size = sizeof(KvmStatsNoteHeader),
                                     .record_size = sizeof(KvmStatRecord),
                                     .records = static_cast<uint32_t>(stats.size()),
                                     .vcpu = vcpu};
  std::string desc(reinterpret_cast<const char*>(&header), sizeof(header));
  for (const KvmStat& stat : stats) {
    KvmStatRecord record = {.value = stat.value, .flags = stat.flags, .exponent = stat.exponent};
    std::memcpy(record.name, stat.name.data(), std::min(stat.name.size(), sizeof(record.name) - 1));
    desc.append(reinterpret_cast<const char*>(&record), sizeof(record));
  }
  return desc;
}

absl::StatusOr<KvmStatsNote> KvmStatsNote::Parse(std::span<const uint8_t> desc) {
  ASSIGN_OR_RETURN(
      const KvmStatsNoteHeader header,
      ReadNoteHeader<KvmStatsNoteHeader>(kKvmStatsNoteName, desc, kKvmStatsNoteVersion, sizeof(KvmStatRecord)));
  if (header.records > kMaxStats) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: %d counters, more than %d", kKvmStatsNoteName, header.records, kMaxStats));
  }
  ASSIGN_OR_RETURN(
      const std::vector<KvmStatRecord> records,
      ReadNoteRecords<KvmStatRecord>(kKvmStatsNoteName, desc, header.header_size, header.record_size, header.records));
  KvmStatsNote note{.vcpu = header.vcpu};
  for (const KvmStatRecord& record : records) {
    const std::string_view name(record.name, strnlen(record.name, sizeof(record.name)));
    if (!IsStatName(name)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s: counter %d has no name of KVM's", kKvmStatsNoteName, note.stats.size()));
    }
    note.stats.push_back({std::string(name), record.value, record.flags, record.exponent});
  }
  return note;
}

}  // namespace vmm
