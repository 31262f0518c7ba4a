#include "vmm/recorder/console_recorder.h"

#include <atomic>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

class ConsoleRecorderTest : public testing::Test {
 protected:
  void Record(std::string_view text, uint64_t tsc) {
    tsc_ = tsc;
    recorder_.Record({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  }

  uint64_t tsc_ = 0;
  ConsoleRecorder recorder_{[this] { return tsc_; }};
};

TEST_F(ConsoleRecorderTest, ALineHasTheTimeOfItsFirstByte) {
  Record("fir", 10);
  Record("st\r\nsecond\n", 20);
  Record("\n\nlast", 30);
  const ConsoleNote note = recorder_.Note();
  EXPECT_EQ(note.lines_seen, 3u) << "empty lines say nothing";
  EXPECT_EQ(note.lines, (std::vector<ConsoleLine>{{10, "first", 5}, {20, "second", 6}, {30, "last", 4}}));
}

TEST_F(ConsoleRecorderTest, ATscThatGoesBackLeavesANoteThatCanBeRead) {
  Record("one\n", 20);
  Record("two\n", 10);
  Record("three\n", 30);
  const std::string desc = recorder_.Note().Serialise();
  const absl::StatusOr<ConsoleNote> note =
      ConsoleNote::Parse({reinterpret_cast<const uint8_t*>(desc.data()), desc.size()});
  ASSERT_TRUE(note.ok()) << note.status();
  EXPECT_EQ(note->lines, (std::vector<ConsoleLine>{{20, "one", 3}, {20, "two", 3}, {30, "three", 5}}));
}

TEST_F(ConsoleRecorderTest, TwoConsolesAtOnceLeaveANoteThatCanBeRead) {
  std::atomic<uint64_t> clock = 0;
  ConsoleRecorder recorder([&clock] { return ++clock; });
  const auto print = [&recorder] {
    const uint8_t line[] = {'x', '\n'};
    for (int i = 0; i < 10'000; ++i) recorder.Record(line);
  };
  std::thread other(print);
  print();
  other.join();
  const std::string desc = recorder.Note().Serialise();
  const auto note = ConsoleNote::Parse({reinterpret_cast<const uint8_t*>(desc.data()), desc.size()});
  EXPECT_TRUE(note.ok()) << note.status();
}

TEST_F(ConsoleRecorderTest, AConsoleThatNeverEndsIsKeptByItsEnd) {
  for (uint64_t i = 0; i < 2000; ++i) Record("line " + std::to_string(i) + "\n", i);
  const ConsoleNote note = recorder_.Note();
  EXPECT_EQ(note.lines_seen, 2000u);
  ASSERT_EQ(note.lines.size(), ConsoleRecorder::kLines);
  EXPECT_EQ(note.lines.back().text, "line 1999");
  EXPECT_EQ(note.lines.back().tsc, 1999u);
}

TEST_F(ConsoleRecorderTest, ALineThatNeverEndsIsKeptByItsBeginning) {
  Record(std::string(100'000, 'x'), 1);
  const ConsoleNote note = recorder_.Note();
  ASSERT_EQ(note.lines.size(), 1u);
  EXPECT_EQ(note.lines[0].text.size(), ConsoleRecorder::kMaxText);
  EXPECT_EQ(note.lines[0].full_size, 100'000u);
}

}  // namespace
}  // namespace vmm
