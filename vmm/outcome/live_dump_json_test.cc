#include "vmm/outcome/live_dump_json.h"

#include "gtest/gtest.h"
#include "vmm/outcome/result_json.h"

namespace vmm {
namespace {

LiveDump AFlip() {
  return {.why = "signal",
          .at = absl::Seconds(7),
          .flip = true,
          .pause = absl::Milliseconds(3),
          .merge = absl::Milliseconds(2),
          .merged_bytes = 8192,
          .dump = VmcoreReport{.path = "out/vmcore", .data_bytes = 4096}};
}

TEST(LiveDumpJsonTest, TheRecordTellsHowLongTheGuestStoodStill) {
  RunOutcome outcome{.kind = RunOutcome::Kind::kPowerOff, .by = "acpi"};
  outcome.live.Add(AFlip());
  const auto json = nlohmann::json::parse(ResultJson({}, outcome))["live_dumps"];
  EXPECT_EQ(json["made"], 1);
  EXPECT_EQ(json["failed"], 0);
  const auto& dump = json["last"][0];
  EXPECT_EQ(dump["why"], "signal");
  EXPECT_EQ(dump["method"], "flip");
  EXPECT_TRUE(dump["why_no_flip"].is_null());
  EXPECT_EQ(dump["pause_seconds"], 0.003);
  EXPECT_EQ(dump["merge_pause_seconds"], 0.002);
  EXPECT_EQ(dump["merged_bytes"], 8192);
  EXPECT_EQ(dump["path"], "out/vmcore");
}

TEST(LiveDumpJsonTest, WhyTheGuestWasStoppedAndWhyThereIsNoDump) {
  LiveDumps dumps;
  dumps.Add({.why = "timer", .why_no_flip = "virtio-fs maps RAM", .error = absl::ResourceExhaustedError("disk full")});
  const auto json = LiveDumpsJson(dumps);
  EXPECT_EQ(json["failed"], 1);
  EXPECT_EQ(json["last"][0]["method"], "stop");
  EXPECT_EQ(json["last"][0]["why_no_flip"], "virtio-fs maps RAM");
  EXPECT_EQ(json["last"][0]["error"], "disk full");
  EXPECT_FALSE(json["last"][0].contains("path"));
}

TEST(LiveDumpJsonTest, ALongRunKeepsTheLastOnesAndCountsAll) {
  LiveDumps dumps;
  for (int i = 0; i < 100; ++i) {
    LiveDump dump = AFlip();
    dump.at = absl::Seconds(i);
    dumps.Add(std::move(dump));
  }
  const auto json = LiveDumpsJson(dumps);
  EXPECT_EQ(json["made"], 100);
  EXPECT_EQ(json["last"].size(), 64u);
  EXPECT_EQ(json["last"].back()["at_seconds"], 99);
}

TEST(LiveDumpJsonTest, ARunWithoutLiveDumpsDoesNotSpeakOfThem) {
  EXPECT_FALSE(nlohmann::json::parse(ResultJson({}, {})).contains("live_dumps"));
}

TEST(LiveDumpJsonTest, TheDumpsOwnNoteMarksItAsLive) {
  VmConfig config;
  config.command = "vmm --kernel=x";
  const auto note = nlohmann::json::parse(LiveDumpNoteJson(config, AFlip()));
  EXPECT_EQ(note["command"], "vmm --kernel=x");
  EXPECT_EQ(note["live"]["method"], "flip");
  EXPECT_FALSE(note.contains("panic"));
}

}  // namespace
}  // namespace vmm
