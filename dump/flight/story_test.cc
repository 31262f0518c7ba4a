// Makes a story from notes: clock, sums, time line, windows.
#include <cmath>

#include "dump/flight/host_words.h"
#include "dump/flight/testing/made_up_story.h"
#include "dump/flight/time_line.h"
#include "dump/flight/vcpu_sums.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(HostStoryTest, NotesOfOneVcpuComeTogether) {
  MadeUpStory made;
  std::swap(made.flights[0], made.flights[1]);
  const HostStory story = made.Story();
  EXPECT_TRUE(story.refused.empty());
  ASSERT_EQ(story.vcpus.size(), 2u);
  EXPECT_EQ(story.vcpus[0].vcpu(), 0u);
  EXPECT_EQ(story.vcpus[1].sched->vcpu, 1u);
  EXPECT_EQ(FindKvmStat(story.vcpus[1].kvm, "nmi_injections"), 1u);
  EXPECT_EQ(FindKvmStat(story.vm, "pages_4k"), 12'345u);
  EXPECT_EQ(story.console->lines.size(), 5u);
}

TEST(HostStoryTest, WhatMakesNoSenseIsLeftOutAndTold) {
  MadeUpStory made;
  made.flights.push_back(made.flights[1]);
  made.scheds[0].records[1].tsc = 0;
  const HostStory story = made.Story();
  ASSERT_EQ(story.refused.size(), 2u);
  EXPECT_THAT(story.refused[0], HasSubstr("there already"));
  EXPECT_THAT(story.refused[1], HasSubstr("VMM-SCHED"));
  EXPECT_FALSE(story.vcpus[0].sched.has_value());
  EXPECT_EQ(story.vcpus.size(), 2u);
}

TEST(HostStoryTest, ADumpOfSomebodyElseHasNone) { EXPECT_TRUE(ReadHostStory({}).empty()); }

TEST(HostClockTest, TheGuestsClockIsThatOfTheLineThatCameFastest) {
  const HostClock clock = MadeUpStory().Story().clock;
  EXPECT_TRUE(clock.rate_known());
  EXPECT_NEAR(clock.tsc_hz(), MadeUpStory::kHz, 1);
  EXPECT_NEAR(clock.end(), 2, 1e-9);
  ASSERT_TRUE(clock.guest_zero().has_value());
  EXPECT_NEAR(*clock.guest_zero(), -0.251, 1e-6);
  EXPECT_EQ(Stamp(clock, 1.251), "[    1.000000]");
}

TEST(HostClockTest, WithoutStampsTimesAreBeforeTheEnd) {
  MadeUpStory made;
  made.console.lines.clear();
  const HostClock clock = made.Story().clock;
  EXPECT_FALSE(clock.guest_zero().has_value());
  EXPECT_EQ(Stamp(clock, 1.5), "[   -0.500000]");
}

TEST(HostClockTest, AGuestsClockThatLostTicksIsNotTakenForTheHosts) {
  MadeUpStory made;
  made.console.lines.back().text = "[    0.600000] Kernel panic - not syncing";  // at 1.99 s
  EXPECT_FALSE(made.Story().clock.guest_zero().has_value());
}

TEST(HostClockTest, AClockThatStoodStillGivesNoRate) {
  MadeUpStory made;
  for (FlightNote& flight : made.flights) flight.header.end_ns = flight.header.start_ns;
  const HostClock clock = made.Story().clock;
  EXPECT_FALSE(clock.rate_known());
  EXPECT_TRUE(std::isfinite(clock.end()));
}

TEST(PrintkSecondsTest, OnlyAStampThatTicksIsOne) {
  EXPECT_EQ(PrintkSeconds("[    1.234567] text"), 1.234567);
  EXPECT_EQ(PrintkSeconds("[12345.678901][    T1] text"), 12345.678901);
  for (const char* line : {"", "[", "[]", "[    0.000000] early", "[  OK  ] Started", "[1e5] x", "[-1.0] x", "[nan] x",
                           " [    1.000000] x", "[99999999999999999.0] x", "[17] x"}) {
    EXPECT_EQ(PrintkSeconds(line), std::nullopt) << line;
  }
}

TEST(VcpuSumsTest, ExitsAndTimesAreSummedUp) {
  const HostStory story = MadeUpStory().Story();
  const VcpuSums sums = SumUp(story.vcpus[0], story.clock);
  EXPECT_EQ(sums.exits, 5000u);
  EXPECT_EQ(sums.kept, 151u);
  EXPECT_EQ(sums.by_family[static_cast<size_t>(ExitFamily::kPio)], 150u);
  EXPECT_EQ(sums.by_family[static_cast<size_t>(ExitFamily::kFatal)], 1u);
  ASSERT_EQ(sums.places.size(), 3u);
  EXPECT_EQ(sums.places[0].address, 0x3f8u);
  EXPECT_EQ(sums.places[0].exits, 100u);
  EXPECT_EQ(sums.longest_handling, 7u);
  EXPECT_NEAR(sums.in_vmm, 150 * 10e-6 + 1e-3, 1e-9);
  EXPECT_NEAR(sums.longest_gap->length(), 0.01, 2e-5);
  EXPECT_NEAR(sums.ran, 0.5, 1e-9);
  EXPECT_NEAR(sums.asleep(), 1.5, 1e-9);
  EXPECT_EQ(sums.starved(), 0);
  EXPECT_NEAR(SumUp(story.vcpus[1], story.clock).starved(), 0.9 / 1.9, 1e-9);
}

TEST(VcpuSumsTest, AThreadOfWhichNothingIsKnownDidNotSleep) {
  MadeUpStory made;
  made.flights[0].header.run_ns = made.flights[0].header.wait_ns = 0;
  made.scheds[1].records.clear();
  const HostStory story = made.Story();
  EXPECT_FALSE(SumUp(story.vcpus[0], story.clock).thread_known);
  EXPECT_EQ(SumUp(story.vcpus[0], story.clock).asleep(), 0);
  EXPECT_TRUE(SumUp(story.vcpus[1], story.clock).thread_known) << "its sums are";
  for (const VcpuStory& vcpu : story.vcpus) {
    EXPECT_FALSE(vcpu.sampled());
    EXPECT_TRUE(ThreadStretches(vcpu, story.clock).empty());
  }
}

TEST(VcpuSumsTest, AHandlingOfUnknownLengthLeavesNoGapBehindIt) {
  MadeUpStory made;
  FlightNote& flight = made.flights[1];
  flight.records.erase(flight.records.begin() + 3, flight.records.end());
  flight.records[1].handling = kHandlingOrMore;
  flight.records[2].tsc = MadeUpStory::Tsc(4);
  flight.header.end_tsc = MadeUpStory::Tsc(6);
  flight.header.end_ns = flight.header.start_ns + 6'000'000'000;
  flight.header.records = 3;
  const HostStory story = made.Story();
  const VcpuSums sums = SumUp(story.vcpus[1], story.clock);
  EXPECT_EQ(sums.longest_handling, 1u);
  EXPECT_NEAR(sums.longest_gap->length(), 0.01, 2e-5) << "the one before it";
  EXPECT_EQ(HandlingInWords(story.vcpus[1].flight.records[1], story.clock), ">= 2.147 s");
  EXPECT_EQ(HandlingInWords(story.vcpus[1].flight.records[0], story.clock), "10 us");
}

TEST(TimeLineTest, AWaitIsGivenBackToTheTimeThatItLasted) {
  const HostStory story = MadeUpStory().Story();
  const std::vector<ThreadStretch> stretches = ThreadStretches(story.vcpus[1], story.clock);
  double waited = 0;
  for (const ThreadStretch& stretch : stretches) {
    EXPECT_LE(stretch.ran + stretch.waited, stretch.time.length() + 1e-9);
    waited += stretch.waited;
  }
  EXPECT_NEAR(waited, 0.9, 1e-6);
  const std::optional<Stretch> wait = LongestWait(stretches);
  ASSERT_TRUE(wait.has_value());
  EXPECT_THAT(wait->from, DoubleNear(1.05, 0.051));
  EXPECT_THAT(wait->to, DoubleNear(1.95, 0.051));
  EXPECT_FALSE(LongestWait(ThreadStretches(story.vcpus[0], story.clock)).has_value());
}

TEST(TimeLineTest, AThreadThatAlwaysGetsHalfHasNoLongWait) {
  std::vector<ThreadStretch> stretches;
  for (int i = 0; i < 40; ++i) stretches.push_back({{0.05 * i, 0.05 * (i + 1)}, 0.025, 0.025});
  EXPECT_FALSE(LongestWait(stretches).has_value());
}

TEST(TimeLineTest, AWaitEndsInsideTheStretchesAroundIt) {
  const std::vector<ThreadStretch> stretches = {{{0, 1}, 0.25, 0.75}, {{1, 2}, 0, 1},     {{2, 3}, 0.0625, 0.9375},
                                                {{3, 4}, 0.5, 0.5},   {{4, 5}, 0.5, 0.5}, {{5, 6}, 0, 1}};
  const std::optional<Stretch> wait = LongestWait(stretches);
  ASSERT_TRUE(wait.has_value());
  EXPECT_EQ(wait->from, 0.25);
  EXPECT_EQ(wait->length(), 0.75 + 1 + 0.9375 + 0.5) << "no more than was waited";
}

TEST(TimeLineTest, AWaitOfNearlyTheWholeLifeHasAWindow) {
  MadeUpStory made;
  made.flights[1].header.run_ns = 1'000'000;
  made.flights[1].header.wait_ns = 1'900'000'000;
  made.scheds[1].records.clear();
  made.scheds[1].records.push_back({.tsc = MadeUpStory::Tsc(0.05), .run_ns = 1'000'000});
  EXPECT_EQ(ChooseWindows(made.Story())[1].name, "longest wait");
}

TEST(TimeLineTest, BinsHoldTheSumsOfTheirTime) {
  const HostStory story = MadeUpStory().Story();
  const std::vector<TimeBin> bins = MakeTimeBins(story.vcpus[1], story.clock, {0, 2}, 40);
  double ran = 0, waited = 0;
  uint32_t exits = 0;
  for (const TimeBin& bin : bins) {
    ran += bin.ran * 0.05;
    waited += bin.waited * 0.05;
    exits += bin.all_exits();
  }
  EXPECT_NEAR(ran, 1.0, 0.01);
  EXPECT_NEAR(waited, 0.9, 0.01);
  EXPECT_EQ(exits, 150u);
  EXPECT_GT(bins[30].waited, 0.99) << "in the middle of its wait";
  EXPECT_EQ(bins[2].all_exits(), 0u);
  EXPECT_GT(bins[11].in_vmm, 0.02) << "the exit that took a millisecond";
}

TEST(TimeLineTest, TheWindowsAreTheLifeTheWaitAndTheEnd) {
  const HostStory story = MadeUpStory().Story();
  std::vector<std::string> names;
  for (const TimeWindow& window : ChooseWindows(story)) {
    names.push_back(window.name);
    EXPECT_GE(window.time.from, 0);
    EXPECT_LE(window.time.to, story.clock.end());
    EXPECT_LT(window.time.from, window.time.to);
  }
  EXPECT_THAT(names, ElementsAre("whole life", "longest wait", "last second", "last 100 ms", "last 10 ms"));
}

TEST(HostWordsTest, TimesHaveThreeDigits) {
  EXPECT_EQ(InWords(1.2345678), "1.235 s");
  EXPECT_EQ(InWords(0.0315), "31.5 ms");
  EXPECT_EQ(InWords(7.25e-6), "7.25 us");
  EXPECT_EQ(InWords(0), "0 ns");
  EXPECT_EQ(PerCent(0.413), "41.3 %");
  EXPECT_EQ(PerCent(0.0001), "< 0.1 %");
  EXPECT_EQ(PerCent(0), "0.0 %");
}

}  // namespace
}  // namespace vmm
