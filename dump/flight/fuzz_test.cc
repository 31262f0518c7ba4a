// The notes of a dump cannot be trusted. Notes changed pseudo-randomly, always in the same way, are either refused or
// give a story whose sums are finite and whose time line stays in its bounds.
#include <algorithm>
#include <cmath>

#include "dump/flight/host_words.h"
#include "dump/flight/testing/made_up_story.h"
#include "dump/flight/time_line.h"
#include "dump/flight/vcpu_sums.h"
#include "dump/testing/fuzz_steps.h"
#include "dump/testing/mutator.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

void CheckVcpu(const VcpuStory& vcpu, const HostStory& story) {
  const VcpuSums sums = SumUp(vcpu, story.clock);
  ASSERT_LE(sums.kept, sums.exits);
  ASSERT_TRUE(std::isfinite(sums.in_vmm) && std::isfinite(sums.asleep()));
  ASSERT_TRUE(sums.starved() >= 0 && sums.starved() <= 1);
  ASSERT_LE(sums.places.size(), VcpuSums::kMaxPlaces);
  for (const TimeWindow& window : ChooseWindows(story)) {
    ASSERT_TRUE(std::isfinite(window.time.length()) && window.time.length() > 0);
    for (const TimeBin& bin : MakeTimeBins(vcpu, story.clock, window.time, 50)) {
      ASSERT_TRUE(bin.ran >= 0 && bin.waited >= 0 && bin.ran + bin.waited <= 1.0001) << bin.ran << " " << bin.waited;
      ASSERT_TRUE(bin.in_vmm >= 0 && bin.in_vmm <= 1);
      ASSERT_LE(bin.all_exits(), vcpu.flight.records.size());
    }
  }
  for (const FlightRecord& record : vcpu.flight.records) (void)DescribeExit(record);
}

TEST(FlightFuzzTest, NotesAreRefusedOrTheirStoryHoldsTogether) {
  std::vector<VmcoreNote> seed;
  MadeUpStory made;
  for (FlightNote& flight : made.flights) {  // few records, so that changes often hit the header
    flight.records.erase(flight.records.begin(), flight.records.begin() + 140);
    flight.header.records = static_cast<uint32_t>(flight.records.size());
  }
  for (const CoreNote& note : made.Notes())
    seed.push_back({note.name, note.type, {note.desc.begin(), note.desc.end()}});
  Mutator mutator(FuzzSeed(1));
  uint64_t whole = 0;
  const uint64_t steps = FuzzSteps(3'000);
  for (uint64_t step = 0; step < steps; ++step) {
    std::vector<VmcoreNote> notes = seed;
    for (uint64_t i = 1 + mutator.Below(3); i > 0; --i) {
      VmcoreNote& note = notes[mutator.Below(notes.size())];
      const bool header = mutator.Below(2) == 0;
      const size_t size =
          header ? std::min<size_t>(24, note.desc.size()) : note.desc.size();  // the note may be truncated already
      std::string bytes(note.desc.begin(), note.desc.begin() + static_cast<ptrdiff_t>(size));
      mutator.Change(bytes);
      std::copy(bytes.begin(), bytes.end(), note.desc.begin());
      if (mutator.Below(16) == 0 && !note.desc.empty()) note.desc.resize(mutator.Below(note.desc.size()));
    }
    const HostStory story = ReadHostStory(notes);
    whole += story.refused.empty() ? 1 : 0;
    ASSERT_TRUE(std::isfinite(story.clock.end()));
    for (const VcpuStory& vcpu : story.vcpus) CheckVcpu(vcpu, story);
    if (HasFatalFailure()) FAIL() << "step " << step;
  }
  EXPECT_GT(whole, steps / 20);
  EXPECT_LT(whole, steps);
}

}  // namespace
}  // namespace vmm
