#include "vmm/run/host_notes.h"

namespace vmm {
namespace {

constexpr size_t kMaxBytes = 1 << 20;

}  // namespace

std::vector<CoreNote> HostNotes(std::span<const std::unique_ptr<FlightRecorder>> recorders,
                                std::span<const SchedNote> sched, const KvmStatistics& kvm,
                                const ConsoleNote& console) {
  std::vector<CoreNote> notes;
  for (const auto& recorder : recorders) {
    const size_t max_records = kMaxBytes / sizeof(FlightRecord) / recorders.size();
    notes.push_back({.name = kFlightNoteName, .type = 0, .desc = recorder->NoteDesc(max_records)});
  }
  for (const SchedNote& note : sched) notes.push_back({.name = kSchedNoteName, .type = 0, .desc = note.Serialise()});

  size_t bytes = 0;
  const auto add_stats = [&](uint32_t vcpu, const std::vector<KvmStat>& stats) {
    if (stats.empty()) return;
    CoreNote note{.name = kKvmStatsNoteName, .type = 0, .desc = KvmStatsNote{vcpu, stats}.Serialise()};
    bytes += note.desc.size();
    if (bytes <= kMaxBytes) notes.push_back(std::move(note));
  };
  add_stats(kKvmStatsOfVm, kvm.vm);
  for (size_t id = 0; id < kvm.vcpus.size(); ++id) add_stats(static_cast<uint32_t>(id), kvm.vcpus[id]);

  notes.push_back({.name = kConsoleNoteName, .type = 0, .desc = console.Serialise()});
  return notes;
}

}  // namespace vmm
