#include "vmm/kvm/kick_signal.h"

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

#include "gtest/gtest.h"

namespace vmm {
namespace {

void SomeoneElses(int) {}

TEST(KickSignalTest, ASignalThatTheProgramUsesItselfIsNotTakenFromIt) {
  struct sigaction action = {}, before = {};
  action.sa_handler = SomeoneElses;
  ASSERT_EQ(sigaction(SIGRTMIN, &action, &before), 0);
  EXPECT_EQ(InstallKickSignal().code(), absl::StatusCode::kFailedPrecondition);
  struct sigaction after = {};
  ASSERT_EQ(sigaction(SIGRTMIN, &before, &after), 0);
  EXPECT_EQ(after.sa_handler, SomeoneElses);
}

TEST(KickSignalTest, ItEndsASystemCallOfThatThreadAlsoWhereItWasBlocked) {
  ASSERT_TRUE(InstallKickSignal().ok());
  ASSERT_TRUE(InstallKickSignal().ok()) << "twice is no harm";
  std::atomic<pid_t> thread_id = 0;
  std::atomic<int> error = 0;
  std::thread thread([&] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    UnblockKickSignal();
    thread_id = gettid();
    if (poll(nullptr, 0, 10000) < 0) error = errno;
  });
  while (thread_id == 0) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  SendKickSignal(thread_id);
  thread.join();
  EXPECT_EQ(error, EINTR);
}

}  // namespace
}  // namespace vmm
