#include "dump/flight/testing/made_up_story.h"

#include <algorithm>

namespace vmm {
namespace {

constexpr double kLife = 2;
constexpr uint64_t kSecond = 1'000'000'000;

FlightNote MadeUpFlight(uint32_t vcpu) {
  FlightNote note = {.header = {.version = kFlightNoteVersion,
                                .header_size = sizeof(FlightNoteHeader),
                                .record_size = sizeof(FlightRecord),
                                .vcpu = vcpu,
                                .start_tsc = MadeUpStory::Tsc(0),
                                .start_ns = 5 * kSecond,
                                .end_tsc = MadeUpStory::Tsc(kLife),
                                .end_ns = 7 * kSecond,
                                .end_realtime_ns = 1'700'000'000 * kSecond,
                                .guest_tsc_offset = ~MadeUpStory::kStart + 1,
                                .run_ns = vcpu == 0 ? kSecond / 2 : kSecond,
                                .wait_ns = vcpu == 0 ? 0 : 9 * kSecond / 10}};
  // One character to the serial port every 10 ms, handled in 10 us; the one with index 7 in 1 ms.
  for (uint64_t i = 0; i < 150; ++i) {
    note.records.push_back({.tsc = MadeUpStory::Tsc(0.5 + 0.01 * static_cast<double>(i)),
                            .handling = i == 7 ? 2'000'000u : 20'000u,
                            .kind = i % 3 == 0 ? FlightKind::kPioRead : FlightKind::kPioWrite,
                            .size = 1,
                            .count = 1,
                            .address = i % 3 == 0 ? 0x3fdu : 0x3f8u,
                            .data = 'a'});
  }
  if (vcpu == 0) {
    note.records.push_back({.tsc = MadeUpStory::Tsc(kLife), .handling = 20'000, .kind = FlightKind::kShutdown});
  }
  note.header.records = static_cast<uint32_t>(note.records.size());
  note.header.exits = 5000;
  return note;
}

// vCPU 0 runs a quarter of the time. vCPU 1 runs for the first second and waits for nine tenths of the next one. The
// kernel adds that wait to the sum when it is over.
SchedNote MadeUpSched(uint32_t vcpu) {
  SchedNote note = {.vcpu = vcpu, .interval_us = 50'000};
  for (int i = 1; i < 40; ++i) {
    const double at = 0.05 * i;
    SchedRecord record = {.tsc = MadeUpStory::Tsc(at)};
    if (vcpu == 0) {
      record.run_ns = static_cast<uint64_t>(at / 4 * kSecond);
    } else {
      record.run_ns = static_cast<uint64_t>(std::min(at, 0.999) * kSecond);
      record.wait_ns = at < 1.92 ? 0 : 9 * kSecond / 10;
    }
    note.records.push_back(record);
  }
  return note;
}

}  // namespace

MadeUpStory::MadeUpStory() {
  for (uint32_t vcpu : {0u, 1u}) {
    flights.push_back(MadeUpFlight(vcpu));
    scheds.push_back(MadeUpSched(vcpu));
    stats.push_back({vcpu, {{"exits", 123'456 + vcpu}, {"halt_exits", 77}, {"nmi_injections", vcpu}}});
  }
  stats.push_back({kKvmStatsOfVm, {{"pages_4k", 12'345}}});
  // The guest's clock began at 0.25 s. A line takes at least 1 ms to reach the console.
  console.lines = {{Tsc(0.100), "early, before any clock", 23},
                   {Tsc(0.200), "[    0.000000] Linux version 6.1.0", 34},
                   {Tsc(0.900), "[    0.500000] a line that was slow to come", 43},
                   {Tsc(1.251), "[    1.000000] a line", 21},
                   {Tsc(1.990), "[    1.700000] Kernel panic - not syncing: sysrq triggered crash", 64}};
  console.lines_seen = 900;
}

std::string FlightDesc(const FlightNote& note) {
  std::string desc(reinterpret_cast<const char*>(&note.header), sizeof(note.header));
  return desc.append(reinterpret_cast<const char*>(note.records.data()), note.records.size() * sizeof(FlightRecord));
}

std::vector<CoreNote> MadeUpStory::Notes() const {
  std::vector<CoreNote> notes;
  for (const FlightNote& note : flights) notes.push_back({kFlightNoteName, 0, FlightDesc(note)});
  for (const SchedNote& note : scheds) notes.push_back({kSchedNoteName, 0, note.Serialise()});
  for (const KvmStatsNote& note : stats) notes.push_back({kKvmStatsNoteName, 0, note.Serialise()});
  notes.push_back({kConsoleNoteName, 0, console.Serialise()});
  return notes;
}

HostStory MadeUpStory::Story() const {
  std::vector<VmcoreNote> notes;
  for (const CoreNote& note : Notes()) notes.push_back({note.name, note.type, {note.desc.begin(), note.desc.end()}});
  return ReadHostStory(notes);
}

}  // namespace vmm
