#include "vmm/run/stop_signals.h"

#include <sys/eventfd.h>

#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(StopSignalsTest, EachIsTakenOnce) {
  const auto signals = *StopSignals::Block();
  EXPECT_EQ(signals->Take(), 0);
  ASSERT_EQ(raise(SIGINT), 0);
  EXPECT_EQ(signals->Take(), SIGINT);
  EXPECT_EQ(signals->Take(), 0);
}

TEST(StopSignalsTest, OneThatNobodyTookDoesNotEndTheProcessAfterwards) {
  {
    const auto signals = *StopSignals::Block();
    ASSERT_EQ(raise(SIGTERM), 0);
    ASSERT_EQ(raise(SIGINT), 0);
  }
  SUCCEED() << "and lives";
}

// As main() holds one around a run, which has its own, for the record that is written after it.
TEST(StopSignalsTest, TheEndOfAnInnerOneLetsNothingIn) {
  const auto outer = *StopSignals::Block();
  (*StopSignals::Block()).reset();
  ASSERT_EQ(raise(SIGPIPE), 0);
  ASSERT_EQ(raise(SIGTERM), 0);
  EXPECT_EQ(outer->Take(), SIGTERM);
}

TEST(StopSignalsTest, WhatWasBeforeIsPutBack) {
  struct sigaction before = {};
  struct sigaction after = {};
  sigset_t mask;
  ASSERT_EQ(sigaction(SIGPIPE, nullptr, &before), 0);
  (*StopSignals::Block()).reset();
  ASSERT_EQ(sigaction(SIGPIPE, nullptr, &after), 0);
  EXPECT_EQ(after.sa_handler, before.sa_handler);
  ASSERT_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &mask), 0);
  EXPECT_EQ(sigismember(&mask, SIGTERM), 0);
}

TEST(StopSignalsTest, EachEventStandsForOneSigterm) {
  const UniqueFd event(eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC));
  const auto signals = *StopSignals::FromEvent(event.get());
  EXPECT_EQ(signals->Take(), 0);
  ASSERT_EQ(eventfd_write(event.get(), 2), 0);
  EXPECT_EQ(signals->Take(), SIGTERM);
  EXPECT_EQ(signals->Take(), SIGTERM);
  EXPECT_EQ(signals->Take(), 0);
}

}  // namespace
}  // namespace vmm
