#include "vmm/console/console_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
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

TEST(ConsoleWriterTest, NeitherDoesOneWhosePipeCannotBeOpenedAgain) {
  signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  auto writer = *ConsoleWriter::Create(pipe.writer.get(), SharedOutput::Reopen::kNever);
  std::thread vcpu([&] { writer->Write(Bytes(std::string(1 << 20, 'x'))); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // the pipe is full by now
  writer->StopWaiting();
  vcpu.join();
  const auto start = std::chrono::steady_clock::now();
  writer.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
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
