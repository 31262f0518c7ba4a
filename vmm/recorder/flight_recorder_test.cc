#include "vmm/recorder/flight_recorder.h"

#include <array>
#include <cstring>

#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(FlightRecorderTest, AWriteIsKeptWithWhatWasWritten) {
  FlightRecorder recorder(3);
  std::array<uint8_t, 2> data = {0x34, 0x12};
  const VcpuExit exit = IoExit{.port = 0x505, .size = 2, .is_write = true, .data = data};
  recorder.Exit(exit);
  recorder.Handled(exit);
  ASSERT_EQ(recorder.records().size(), 1u);
  const FlightRecord record = recorder.records()[0];
  EXPECT_EQ(record.kind, FlightKind::kPioWrite);
  EXPECT_EQ(record.address, 0x505u);
  EXPECT_EQ(record.size, 2);
  EXPECT_EQ(record.count, 1);
  EXPECT_EQ(record.data, 0x1234u);
  EXPECT_GT(record.handling, 0u);
  EXPECT_EQ(recorder.header().vcpu, 3u);
}

TEST(FlightRecorderTest, AReadIsKeptWithItsAnswer) {
  FlightRecorder recorder(0);
  std::array<uint8_t, 4> data = {};
  const VcpuExit exit = MmioExit{.address = 0xfed00000, .data = data};
  recorder.Exit(exit);
  data = {1, 2, 3, 4};
  recorder.Handled(exit);
  EXPECT_EQ(recorder.records()[0].kind, FlightKind::kMmioRead);
  EXPECT_EQ(recorder.records()[0].data, 0x04030201u);
}

TEST(FlightRecorderTest, TheLastExitsAreKeptAndTheOthersCounted) {
  FlightRecorder recorder(0);
  for (uint64_t i = 0; i < FlightRecorder::kRecords + 100; ++i) {
    const VcpuExit exit = BreakpointExit{.pc = i};
    recorder.Exit(exit);
    recorder.Handled(exit);
  }
  EXPECT_EQ(recorder.exits(), FlightRecorder::kRecords + 100);
  const std::vector<FlightRecord> records = recorder.records();
  ASSERT_EQ(records.size(), FlightRecorder::kRecords);
  EXPECT_EQ(records.front().address, 100u);
  EXPECT_EQ(records.back().address, FlightRecorder::kRecords + 99);
  EXPECT_LE(records.front().tsc, records.back().tsc);
}

TEST(FlightRecorderTest, TheNoteHoldsHeaderAndRecords) {
  FlightRecorder recorder(1);
  recorder.ThreadBegins();
  const VcpuExit exit = ShutdownExit{};
  recorder.Exit(exit);
  recorder.Handled(exit);
  recorder.ThreadEnds();
  const std::string desc = recorder.NoteDesc(FlightRecorder::kRecords);
  ASSERT_EQ(desc.size(), sizeof(FlightNoteHeader) + sizeof(FlightRecord));
  FlightNoteHeader header;
  std::memcpy(&header, desc.data(), sizeof(header));
  EXPECT_EQ(header.version, kFlightNoteVersion);
  EXPECT_EQ(header.records, 1u);
  EXPECT_LT(header.start_tsc, header.end_tsc);
}

TEST(FlightRecorderTest, AShorterNoteHasTheLastRecords) {
  FlightRecorder recorder(0);
  for (uint64_t i = 0; i < 10; ++i) recorder.Exit(BreakpointExit{.pc = i});
  const std::string desc = recorder.NoteDesc(2);
  ASSERT_EQ(desc.size(), sizeof(FlightNoteHeader) + 2 * sizeof(FlightRecord));
  FlightRecord first;
  std::memcpy(&first, desc.data() + sizeof(FlightNoteHeader), sizeof(first));
  EXPECT_EQ(first.address, 8u);
}

}  // namespace
}  // namespace vmm
