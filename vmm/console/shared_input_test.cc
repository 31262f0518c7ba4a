#include "vmm/console/shared_input.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "gtest/gtest.h"

namespace vmm {
namespace {

std::string ReadSome(SharedInput& input) {
  std::array<uint8_t, 64> buffer;
  const ssize_t got = input.ReadSome(buffer);
  return got < 0 ? "error" : std::string(reinterpret_cast<const char*>(buffer.data()), static_cast<size_t>(got));
}

TEST(SharedInputTest, WhatAnotherReaderTookIsNotWaitedForAndTheFlagsStay) {
  std::array<int, 2> ends;
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  UniqueFd reader(ends[0]), writer(ends[1]);
  SharedInput input(reader.get());
  ASSERT_EQ(write(writer.get(), "x", 1), 1);
  std::array<char, 8> taken;
  ASSERT_EQ(read(reader.get(), taken.data(), taken.size()), 1);  // another reader, after poll(2)
  EXPECT_EQ(ReadSome(input), "error");
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_EQ(fcntl(reader.get(), F_GETFL) & O_NONBLOCK, 0);
  ASSERT_EQ(write(writer.get(), "y", 1), 1);
  EXPECT_EQ(ReadSome(input), "y");
  writer.reset();
  EXPECT_EQ(ReadSome(input), "") << "its end";
}

TEST(SharedInputTest, ASocketIsNotWaitedForEither) {
  std::array<int, 2> ends;
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const UniqueFd ours(ends[0]), theirs(ends[1]);
  SharedInput input(ours.get());
  EXPECT_EQ(ReadSome(input), "error");
  EXPECT_EQ(errno, EAGAIN);
  ASSERT_EQ(write(theirs.get(), "x", 1), 1);
  EXPECT_EQ(ReadSome(input), "x");
}

TEST(SharedInputTest, AFileIsReadFromItsOffsetOn) {
  std::string path = testing::TempDir() + "/input.XXXXXX";
  const UniqueFd file(mkstemp(path.data()));
  ASSERT_EQ(write(file.get(), "before after", 12), 12);
  ASSERT_EQ(lseek(file.get(), 7, SEEK_SET), 7);
  SharedInput input(file.get());
  EXPECT_EQ(ReadSome(input), "after");
  EXPECT_EQ(ReadSome(input), "");
}

}  // namespace
}  // namespace vmm
