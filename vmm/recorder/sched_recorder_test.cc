#include "vmm/recorder/sched_recorder.h"

#include <chrono>
#include <thread>

#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(SchedSamplesTest, ALongLifeIsKeptWholeAtItsEndAndThinnerBefore) {
  SchedSamples samples(64);
  for (uint64_t i = 0; i < 10'000; ++i) samples.Add({.tsc = i, .run_ns = i, .wait_ns = 0});
  const std::vector<SchedRecord>& kept = samples.samples();
  ASSERT_LE(kept.size(), 64u);
  ASSERT_GE(kept.size(), 48u);
  EXPECT_EQ(kept.front().tsc, 0u);
  EXPECT_EQ(kept.back().tsc, 9999u);
  for (size_t i = kept.size() - 32; i + 1 < kept.size(); ++i) EXPECT_EQ(kept[i + 1].tsc, kept[i].tsc + 1);
  for (size_t i = 0; i + 1 < kept.size(); ++i) EXPECT_LT(kept[i].tsc, kept[i + 1].tsc);
}

TEST(SchedRecorderTest, AThreadThatComputesIsSeenToRun) {
  std::vector<std::unique_ptr<FlightRecorder>> vcpus;
  vcpus.push_back(std::make_unique<FlightRecorder>(7));
  SchedRecorder recorder(vcpus);
  std::atomic<bool> stop = false;
  std::thread thread([&] {
    vcpus[0]->ThreadBegins();
    while (!stop) {
    }
    vcpus[0]->ThreadEnds();
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  recorder.Stop();
  stop = true;
  thread.join();
  const std::vector<SchedNote> notes = recorder.Notes();
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0].vcpu, 7u);
  EXPECT_EQ(notes[0].interval_us, 50'000u);
  if (vcpus[0]->header().run_ns == 0) GTEST_SKIP() << "this kernel keeps no account of threads (CONFIG_SCHED_INFO)";
  ASSERT_FALSE(notes[0].records.empty());
  EXPECT_GT(notes[0].records.back().run_ns, 0u);
  EXPECT_LE(notes[0].records.back().run_ns, vcpus[0]->header().run_ns);
  EXPECT_LT(notes[0].records.back().tsc, vcpus[0]->header().end_tsc);
}

}  // namespace
}  // namespace vmm
