#include "vmm/console/terminal_size.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace vmm {
namespace {

bool IsReadable(int fd) {
  pollfd ready = {fd, POLLIN, 0};
  return poll(&ready, 1, 0) == 1;
}

TEST(TerminalSizeTest, AChangeIsHeardAndRead) {
  int master = -1, slave = -1;
  winsize size = {.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  ASSERT_EQ(openpty(&master, &slave, nullptr, nullptr, &size), 0);
  auto watched = TerminalSize::Watch(slave);
  ASSERT_TRUE(watched.ok()) << watched.status();
  EXPECT_FALSE(IsReadable((*watched)->fd()));
  EXPECT_EQ((*watched)->Read().columns, 80);

  size.ws_col = 132;
  ASSERT_EQ(ioctl(master, TIOCSWINSZ, &size), 0);
  ASSERT_EQ(raise(SIGWINCH), 0);  // the kernel sends it to the foreground of a controlling terminal
  EXPECT_TRUE(IsReadable((*watched)->fd()));
  EXPECT_EQ((*watched)->Read().columns, 132);
  EXPECT_FALSE(IsReadable((*watched)->fd())) << "the news was taken";
  close(master);
  close(slave);
}

TEST(TerminalSizeTest, WhatIsNoTerminalHasNoSize) {
  int pipes[2];
  ASSERT_EQ(pipe(pipes), 0);
  auto watched = TerminalSize::Watch(pipes[0]);
  ASSERT_TRUE(watched.ok());
  EXPECT_EQ((*watched)->Read().rows, 0);
  close(pipes[0]);
  close(pipes[1]);
}

}  // namespace
}  // namespace vmm
