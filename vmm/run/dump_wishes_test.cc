#include "vmm/run/dump_wishes.h"

#include <poll.h>
#include <unistd.h>

#include "gtest/gtest.h"

namespace vmm {
namespace {

bool IsReadable(int fd, int wait_ms) {
  pollfd polled{fd, POLLIN, 0};
  return poll(&polled, 1, wait_ms) == 1;
}

TEST(DumpWishesTest, ASignalIsAWishAndEndsNothing) {
  const auto wishes = *DumpWishes::Open();
  EXPECT_FALSE(IsReadable(wishes->signal_fd(), 0));
  kill(getpid(), SIGUSR1);
  kill(getpid(), SIGUSR1);
  EXPECT_TRUE(IsReadable(wishes->signal_fd(), 1000));
  EXPECT_TRUE(wishes->TakeSignal());
  EXPECT_FALSE(wishes->TakeSignal()) << "two at once are one";
}

TEST(DumpWishesTest, APendingSignalDoesNotOutliveTheObject) {
  {
    const auto wishes = *DumpWishes::Open();
    kill(getpid(), SIGUSR1);
  }
  const auto again = *DumpWishes::Open();
  EXPECT_FALSE(again->TakeSignal());
}

TEST(DumpWishesTest, TheClockWishesAgainAndAgain) {
  const auto wishes = *DumpWishes::Open();
  EXPECT_EQ(wishes->clock_fd(), -1);
  ASSERT_TRUE(wishes->StartClock(absl::Milliseconds(5)).ok());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(IsReadable(wishes->clock_fd(), 5000));
    EXPECT_TRUE(wishes->TakeClock());
  }
}

}  // namespace
}  // namespace vmm
