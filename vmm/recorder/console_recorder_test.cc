#include "vmm/recorder/console_recorder.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace vmm {
namespace {

void Record(ConsoleRecorder& recorder, std::string_view text, uint64_t tsc) {
  recorder.Record({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, tsc);
}

TEST(ConsoleRecorderTest, ALineHasTheTimeOfItsFirstByte) {
  ConsoleRecorder recorder;
  Record(recorder, "fir", 10);
  Record(recorder, "st\r\nsecond\n", 20);
  Record(recorder, "\n\nlast", 30);
  const ConsoleNote note = recorder.Note();
  EXPECT_EQ(note.lines_seen, 3u) << "empty lines say nothing";
  EXPECT_EQ(note.lines, (std::vector<ConsoleLine>{{10, "first", 5}, {20, "second", 6}, {30, "last", 4}}));
}

TEST(ConsoleRecorderTest, AConsoleThatNeverEndsIsKeptByItsEnd) {
  ConsoleRecorder recorder;
  for (uint64_t i = 0; i < 2000; ++i) Record(recorder, "line " + std::to_string(i) + "\n", i);
  const ConsoleNote note = recorder.Note();
  EXPECT_EQ(note.lines_seen, 2000u);
  ASSERT_EQ(note.lines.size(), ConsoleRecorder::kLines);
  EXPECT_EQ(note.lines.back().text, "line 1999");
  EXPECT_EQ(note.lines.back().tsc, 1999u);
}

TEST(ConsoleRecorderTest, ALineThatNeverEndsIsKeptByItsBeginning) {
  ConsoleRecorder recorder;
  Record(recorder, std::string(100'000, 'x'), 1);
  const ConsoleNote note = recorder.Note();
  ASSERT_EQ(note.lines.size(), 1u);
  EXPECT_EQ(note.lines[0].text.size(), ConsoleRecorder::kMaxText);
  EXPECT_EQ(note.lines[0].full_size, 100'000u);
}

}  // namespace
}  // namespace vmm
