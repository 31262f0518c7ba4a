// The four notes of the host's side: written notes can be read back, and impossible ones are refused with a reason.
#include <cstring>

#include "dump/flight/console_note.h"
#include "dump/flight/flight_note.h"
#include "dump/flight/kvm_stats_note.h"
#include "dump/flight/sched_note.h"
#include "dump/flight/testing/made_up_story.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

// The reason for refusing a flight note after `change`. "" if it is accepted.
std::string FlightRefused(const std::function<void(FlightNote&)>& change) {
  FlightNote note = MadeUpStory().flights[0];
  change(note);
  const std::string desc = FlightDesc(note);
  const auto parsed = FlightNote::Parse(BytesOf(desc));
  return parsed.ok() ? "" : std::string(parsed.status().message());
}

TEST(FlightNoteTest, ReadBackIsWhatWasWritten) {
  const FlightNote written = MadeUpStory().flights[1];
  const std::string desc = FlightDesc(written);
  const auto read = FlightNote::Parse(BytesOf(desc));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(std::memcmp(&read->header, &written.header, sizeof(FlightNoteHeader)), 0);
  ASSERT_EQ(read->records.size(), 150u);
  EXPECT_EQ(std::memcmp(&read->records[7], &written.records[7], sizeof(FlightRecord)), 0);
}

TEST(FlightNoteTest, WhatALaterWriterAddsIsPassedOver) {
  const FlightNote written = MadeUpStory().flights[0];
  FlightNoteHeader header = written.header;
  header.header_size += 8;
  header.record_size += 4;
  std::string desc(reinterpret_cast<const char*>(&header), sizeof(header));
  desc += "new word";
  for (const FlightRecord& record : written.records) {
    desc.append(reinterpret_cast<const char*>(&record), sizeof(record)).append("more");
  }
  desc += "and behind them";
  const auto read = FlightNote::Parse(BytesOf(desc));
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->records.size(), written.records.size());
  EXPECT_EQ(std::memcmp(read->records.data(), written.records.data(), written.records.size() * sizeof(FlightRecord)),
            0);
}

TEST(FlightNoteTest, ANoteThatCannotBeIsRefusedWithTheReason) {
  EXPECT_EQ(FlightRefused([](FlightNote&) {}), "");
  EXPECT_THAT(FlightRefused([](FlightNote& n) { n.header.version = 2; }), HasSubstr("version 2, not 1"));
  EXPECT_THAT(FlightRefused([](FlightNote& n) { n.header.header_size = 95; }), HasSubstr("a header of 95 bytes"));
  EXPECT_THAT(FlightRefused([](FlightNote& n) { n.header.header_size = 1 << 30; }), HasSubstr("a header of"));
  EXPECT_THAT(FlightRefused([](FlightNote& n) { n.header.record_size = 31; }), HasSubstr("records of 31 bytes"));
  EXPECT_THAT(FlightRefused([](FlightNote& n) { n.header.records = 4000; }), HasSubstr("do not fit"));
  EXPECT_THAT(FlightRefused([](FlightNote& n) { n.header.records = n.header.record_size = ~0u; }),
              HasSubstr(" records of "));
  EXPECT_THAT(FlightRefused([](FlightNote& n) { n.header.exits = 3; }), HasSubstr("records of 3 exits"));
  EXPECT_THAT(FlightRefused([](FlightNote& n) { n.header.end_ns = 1; }), HasSubstr("ended before it began"));
  EXPECT_THAT(FlightRefused([](FlightNote& n) { n.records[3].tsc = 5; }), HasSubstr("exit 3 at TSC 5"));
  EXPECT_THAT(FlightRefused([](FlightNote& n) { n.records.back().tsc += 9; }), HasSubstr("not between"));
  EXPECT_FALSE(FlightNote::Parse({}).ok());
}

TEST(FlightNoteTest, AnExitIsToldInWords) {
  EXPECT_EQ(DescribeExit({.kind = FlightKind::kPioWrite, .size = 1, .count = 1, .address = 0x3f8, .data = 0x41}),
            "PIO write 0x3f8 <- 0x41, 1 byte");
  EXPECT_EQ(DescribeExit({.kind = FlightKind::kMmioRead, .size = 4, .count = 1, .address = 0xfee00000, .data = 7}),
            "MMIO read 0xfee00000 -> 0x7, 4 bytes");
  EXPECT_EQ(DescribeExit({.kind = FlightKind::kPioRead, .size = 2, .count = 9, .address = 1}),
            "PIO read 0x1 -> 0, 2 bytes, 9 times");
  EXPECT_EQ(DescribeExit({.kind = static_cast<FlightKind>(200), .address = 38}), "other");
}

TEST(SchedNoteTest, ReadBackIsWhatWasWrittenAndSumsThatFallAreRefused) {
  SchedNote written = MadeUpStory().scheds[1];
  const auto read = SchedNote::Parse(BytesOf(written.Serialise()));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->vcpu, 1u);
  EXPECT_EQ(read->interval_us, 50'000u);
  ASSERT_EQ(read->records.size(), 39u);
  EXPECT_EQ(read->records[20].run_ns, written.records[20].run_ns);
  written.records[5].run_ns = 0;
  EXPECT_THAT(std::string(SchedNote::Parse(BytesOf(written.Serialise())).status().message()), HasSubstr("sample 5"));
}

TEST(KvmStatsNoteTest, ReadBackIsWhatWasWritten) {
  const KvmStatsNote written = {3, {{"exits", 1, 2, -9}, {"halt_wait_ns", ~0ull, 0x21, -9}}};
  const auto read = KvmStatsNote::Parse(BytesOf(written.Serialise()));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->vcpu, 3u);
  EXPECT_EQ(read->stats, written.stats);
  EXPECT_EQ(FindKvmStat(read->stats, "exits"), 1u);
  EXPECT_EQ(FindKvmStat(read->stats, "mmio_exits"), std::nullopt);
}

TEST(KvmStatsNoteTest, NamesThatAreNotKvmsAreRefused) {
  for (const char* name : {"", "<b>", "a b", "\xff"}) {
    EXPECT_FALSE(KvmStatsNote::Parse(BytesOf(KvmStatsNote{0, {{name, 1}}}.Serialise())).ok()) << name;
  }
  const std::string many = KvmStatsNote{0, std::vector<KvmStat>(1025, KvmStat{"exits"})}.Serialise();
  EXPECT_THAT(std::string(KvmStatsNote::Parse(BytesOf(many)).status().message()), HasSubstr("more than 1024"));
}

TEST(ConsoleNoteTest, ReadBackIsWhatWasWritten) {
  const ConsoleNote written = {.lines_seen = 9, .lines = {{1, "", 0}, {2, "12345678", 8}, {3, "any \xff <byte>", 700}}};
  const auto read = ConsoleNote::Parse(BytesOf(written.Serialise()));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->lines, written.lines);
  EXPECT_EQ(read->lines_seen, 9u);
}

TEST(ConsoleNoteTest, ANoteThatCannotBeIsRefusedWithTheReason) {
  const auto refused = [](const ConsoleNote& note, size_t cut = 0) {
    const std::string desc = note.Serialise();
    return std::string(ConsoleNote::Parse(BytesOf(desc.substr(0, desc.size() - cut))).status().message());
  };
  EXPECT_THAT(refused({.lines_seen = 0, .lines = {{1, "a", 1}}}), HasSubstr("than the 0 that there were"));
  EXPECT_THAT(refused({.lines_seen = 2, .lines = {{2, "a", 1}, {1, "b", 1}}}), HasSubstr("line 1 is older"));
  EXPECT_THAT(refused({.lines_seen = 1, .lines = {{2, "12345678", 8}}}, 1), HasSubstr("line 0 is longer"));
  EXPECT_THAT(refused({.lines_seen = 2, .lines = {{2, "", 0}, {2, "", 0}}}, 9), HasSubstr("line 1 is cut off"));
  EXPECT_THAT(refused({.lines_seen = 1, .lines = {{2, std::string(5000, 'x'), 8}}}), HasSubstr("line 0 is longer"));
}

}  // namespace
}  // namespace vmm
