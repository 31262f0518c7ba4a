// The notes of a host that saw a guest of two vCPUs live for two seconds and panic. vCPU 1 was starved in the second
// second. A test changes them as it needs.
#ifndef DUMP_FLIGHT_TESTING_MADE_UP_STORY_H_
#define DUMP_FLIGHT_TESTING_MADE_UP_STORY_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dump/flight/host_story.h"
#include "dump/snapshot/core_note.h"

namespace vmm {

struct MadeUpStory {
  static constexpr uint64_t kHz = 2'000'000'000;
  static constexpr uint64_t kStart = 1'000'000'000'000;  // host TSC at the first vCPU's beginning

  // The host's TSC `seconds` after kStart.
  static uint64_t Tsc(double seconds) { return kStart + static_cast<uint64_t>(seconds * kHz); }

  MadeUpStory();

  std::vector<FlightNote> flights;
  std::vector<SchedNote> scheds;
  std::vector<KvmStatsNote> stats;
  ConsoleNote console;

  std::vector<CoreNote> Notes() const;
  HostStory Story() const;  // read back from Notes()
};

std::string FlightDesc(const FlightNote& note);

// The bytes in the form that the parsers take.
inline std::span<const uint8_t> BytesOf(const std::string& desc) {
  return {reinterpret_cast<const uint8_t*>(desc.data()), desc.size()};
}

}  // namespace vmm

#endif  // DUMP_FLIGHT_TESTING_MADE_UP_STORY_H_
