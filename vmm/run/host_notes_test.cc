#include "vmm/run/host_notes.h"

#include "dump/flight/host_story.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

std::vector<std::unique_ptr<FlightRecorder>> Recorders(int vcpus) {
  std::vector<std::unique_ptr<FlightRecorder>> recorders;
  for (int id = 0; id < vcpus; ++id) {
    recorders.push_back(std::make_unique<FlightRecorder>(id));
    recorders.back()->ThreadBegins();
    const VcpuExit exit = ShutdownExit{};
    recorders.back()->Exit(exit);
    recorders.back()->Handled(exit);
    recorders.back()->ThreadEnds();
  }
  return recorders;
}

HostStory ReadBack(const std::vector<CoreNote>& notes) {
  std::vector<VmcoreNote> read;
  for (const CoreNote& note : notes) read.push_back({note.name, note.type, {note.desc.begin(), note.desc.end()}});
  return ReadHostStory(read);
}

TEST(HostNotesTest, WhatIsWrittenIsReadBack) {
  const auto recorders = Recorders(2);
  const std::vector<SchedNote> sched = {{.vcpu = 0, .interval_us = 50'000, .records = {{.tsc = 1, .run_ns = 2}}},
                                        {.vcpu = 1, .interval_us = 50'000}};
  const KvmStatistics kvm = {.vm = {{"pages_4k", 4}}, .vcpus = {{{"exits", 1}}, {{"exits", 2}}}};
  const HostStory story = ReadBack(HostNotes(recorders, sched, kvm, {.lines_seen = 1, .lines = {{7, "hello", 5}}}));
  EXPECT_TRUE(story.refused.empty()) << story.refused.front();
  ASSERT_EQ(story.vcpus.size(), 2u);
  EXPECT_EQ(story.vcpus[1].vcpu(), 1u);
  EXPECT_EQ(story.vcpus[0].flight.records.size(), 1u);
  EXPECT_EQ(story.vcpus[0].sched->records.size(), 1u);
  EXPECT_EQ(story.vcpus[1].kvm, kvm.vcpus[1]);
  EXPECT_EQ(story.vm, kvm.vm);
  EXPECT_EQ(story.console->lines[0].text, "hello");
  EXPECT_TRUE(story.clock.rate_known());
}

TEST(HostNotesTest, AKvmWithoutStatisticsHasNoNotesOfThem) {
  const HostStory story = ReadBack(HostNotes(Recorders(1), {}, {}, {}));
  EXPECT_TRUE(story.vcpus[0].kvm.empty());
  EXPECT_TRUE(story.vm.empty());
  EXPECT_FALSE(story.vcpus[0].sched.has_value());
}

}  // namespace
}  // namespace vmm
