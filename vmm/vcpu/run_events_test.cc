#include "vmm/vcpu/run_events.h"

#include <poll.h>

#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace vmm {
namespace {

bool Readable(const RunEvents& events) {
  pollfd fd{events.fd(), POLLIN, 0};
  return poll(&fd, 1, 0) == 1;
}

PanicEvent Panic(std::string detail) { return {.source = PanicSource::kPvpanic, .detail = std::move(detail)}; }

TEST(RunEventsTest, TheFirstPanicIsKeptAndLaterOnesAreCounted) {
  auto events = *RunEvents::Create(/*stop_at_panic=*/false);
  EXPECT_FALSE(Readable(*events));
  events->OnPanic(Panic("first"));
  events->OnPanic(Panic("second"));
  EXPECT_TRUE(Readable(*events));
  EXPECT_EQ(events->panic()->detail, "first");
  EXPECT_EQ(events->panics_seen(), 2u);
}

TEST(RunEventsTest, APanicOfADeviceIsGivenTheVcpuThatDroveIt) {
  auto events = *RunEvents::Create(/*stop_at_panic=*/false);
  std::thread vcpu([&] {
    events->ThisThreadRunsVcpu(5);
    events->OnPanic(Panic(""));
  });
  vcpu.join();
  EXPECT_EQ(events->panic()->vcpu, 5);
}

TEST(RunEventsTest, ADeathTakesThePlaceOfACrashKernelsAnnouncement) {
  auto events = *RunEvents::Create(/*stop_at_panic=*/true);
  events->OnPanic({.source = PanicSource::kPvpanic, .crash_loaded = true});
  EXPECT_FALSE(events->vcpus_must_stop());
  events->OnPanic({.source = PanicSource::kTripleFault});
  EXPECT_EQ(events->panic()->source, PanicSource::kTripleFault);
  EXPECT_TRUE(events->vcpus_must_stop());
}

TEST(RunEventsTest, WhatTheConsoleSaidGivesWayToABetterWitness) {
  auto events = *RunEvents::Create(/*stop_at_panic=*/false);
  events->OnPanic({.source = PanicSource::kConsole, .detail = "Kernel panic"});
  EXPECT_FALSE(events->a_vcpu_stopped());
  events->OnPanic({.source = PanicSource::kPvpanic, .detail = "told"});
  events->OnPanic({.source = PanicSource::kConsole, .detail = "more words"});
  EXPECT_EQ(events->panic()->detail, "told");
  EXPECT_EQ(events->panics_seen(), 3u);
}

TEST(RunEventsTest, ATrapStopsAllCpusAtOnce) {
  auto events = *RunEvents::Create(/*stop_at_panic=*/false);
  events->OnPanic({.source = PanicSource::kTrap});
  EXPECT_TRUE(events->vcpus_must_stop());
}

TEST(RunEventsTest, WhatAResetDoesToTheCpusAfterwardsIsNoPanic) {
  auto events = *RunEvents::Create(/*stop_at_panic=*/false);
  events->OnGuestRequest({.kind = GuestRequest::Kind::kReset, .by = "i8042"});
  EXPECT_TRUE(events->vcpus_must_stop());
  events->OnPanic({.source = PanicSource::kTripleFault});
  EXPECT_FALSE(events->panic().has_value());
  EXPECT_EQ(events->request()->by, "i8042");
}

TEST(RunEventsTest, AcknowledgeQuietsTheDescriptorUntilTheNextNews) {
  auto events = *RunEvents::Create(/*stop_at_panic=*/false);
  events->Wake();
  events->Acknowledge();
  EXPECT_FALSE(Readable(*events));
  events->Wake();
  EXPECT_TRUE(Readable(*events));
}

TEST(RunEventsTest, ManyVcpusDyingAtOnceAreOneDeath) {
  auto events = *RunEvents::Create(/*stop_at_panic=*/false);
  std::vector<std::thread> vcpus;
  for (int id = 0; id < 16; ++id) {
    vcpus.emplace_back([&events, id] {
      events->ThisThreadRunsVcpu(id);
      events->OnPanic(Panic(std::to_string(id)));
    });
  }
  for (std::thread& vcpu : vcpus) vcpu.join();
  EXPECT_EQ(events->panics_seen(), 16u);
  EXPECT_EQ(events->panic()->detail, std::to_string(events->panic()->vcpu));
}

}  // namespace
}  // namespace vmm
