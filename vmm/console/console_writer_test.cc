#include "vmm/console/console_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string_view>
#include <thread>

#include "gtest/gtest.h"

namespace vmm {
namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> fds;
    EXPECT_EQ(pipe2(fds.data(), O_CLOEXEC), 0);
    reader.reset(fds[0]);
    writer.reset(fds[1]);
  }
  UniqueFd reader, writer;
};

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

TEST(ConsoleWriterTest, WhatTheGuestPrintsComesOut) {
  Pipe pipe;
  auto writer = *ConsoleWriter::Create(pipe.writer.get());
  writer->Write(Bytes("login: "));
  std::array<char, 16> got;
  EXPECT_EQ(std::string_view(got.data(), read(pipe.reader.get(), got.data(), got.size())), "login: ");
}

TEST(ConsoleWriterTest, AReaderThatNeverReadsDoesNotHoldUpTheEndOfTheRun) {
  Pipe pipe;
  auto writer = *ConsoleWriter::Create(pipe.writer.get());
  std::thread vcpu([&] { writer->Write(Bytes(std::string(1 << 20, 'x'))); });  // more than a pipe holds
  writer->StopWaiting();
  vcpu.join();
}

TEST(ConsoleWriterTest, AReaderThatIsGoneHoldsNothingUp) {
  signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  auto writer = *ConsoleWriter::Create(pipe.writer.get());
  pipe.reader.reset();
  writer->Write(Bytes("x"));
}

}  // namespace
}  // namespace vmm
