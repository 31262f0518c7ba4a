// The tests play the guest: they write the rings and ring the doorbell.
#include "vmm/harness/program_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <string>
#include <thread>

#include "base/bytes.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

class ProgramChannelTest : public testing::Test {
 protected:
  void SetUp() override {
    signal(SIGPIPE, SIG_IGN);
    memory_ = *GuestMemory::Create(RamRanges(kMinMemory));
    base_ = memory_->Span({GuestAddr{CHANNEL_ADDRESS}, CHANNEL_SIZE})->data();
    ASSERT_EQ(pipe(out_.data()), 0);
    ASSERT_EQ(pipe(err_.data()), 0);
    auto channel = ProgramChannel::Create(*memory_, {.stdout_fd = out_[1],
                                                     .stderr_fd = err_[1],
                                                     .ring_guest = [this] { ++rings_; },
                                                     .on_room = [this] { ++rooms_; }});
    ASSERT_TRUE(channel.ok()) << channel.status();
    channel_ = *std::move(channel);
  }

  ChannelHeader& header() { return *reinterpret_cast<ChannelHeader*>(base_); }

  // As init does it: returns the number of bytes for which there was room.
  size_t Produce(std::string_view text) {
    ChannelRing& ring = header().stdout_ring;
    const size_t room = CHANNEL_STDOUT_SIZE - (ring.produced - std::atomic_ref(ring.consumed).load());
    const size_t count = std::min(room, text.size());
    for (size_t i = 0; i < count; ++i) {
      base_[CHANNEL_STDOUT_OFFSET + (ring.produced + i) % CHANNEL_STDOUT_SIZE] = static_cast<uint8_t>(text[i]);
    }
    std::atomic_ref(ring.produced).fetch_add(static_cast<uint32_t>(count));
    return count;
  }

  static std::string ReadFrom(int fd, size_t count) {
    std::string text(count, '\0');
    size_t done = 0;
    while (done < count) {
      const ssize_t got = read(fd, text.data() + done, count - done);
      if (got <= 0) break;
      done += static_cast<size_t>(got);
    }
    text.resize(done);
    return text;
  }

  std::unique_ptr<GuestMemory> memory_;
  uint8_t* base_ = nullptr;
  std::array<int, 2> out_{}, err_{};
  std::atomic<int> rings_ = 0, rooms_ = 0;
  std::unique_ptr<ProgramChannel> channel_;
};

TEST_F(ProgramChannelTest, BytesComeOutAtTheDoorbell) {
  EXPECT_EQ(header().magic, CHANNEL_MAGIC);
  Produce("hello\n");
  channel_->OnDoorbell();
  EXPECT_EQ(ReadFrom(out_[0], 6), "hello\n");
  EXPECT_EQ(header().stdout_ring.consumed, 6u);
}

TEST_F(ProgramChannelTest, InitHearsTheSizeOfTheTerminal) {
  const int before = rings_;
  channel_->SetWindow(24, 132);
  EXPECT_EQ(header().rows, 24u);
  EXPECT_EQ(header().columns, 132u);
  EXPECT_EQ(rings_, before + 1);
}

TEST_F(ProgramChannelTest, WhatTheProgramSaysIsNoSilence) {
  EXPECT_EQ(channel_->said(), 0u);
  Produce("tick\n");
  EXPECT_EQ(channel_->said(), 5u);
}

TEST_F(ProgramChannelTest, BytesWithoutADoorbellComeOutAtTheEnd) {
  Produce("last words");
  channel_->Finish(-1, absl::Seconds(1));
  EXPECT_EQ(ReadFrom(out_[0], 10), "last words");
}

TEST_F(ProgramChannelTest, ASlowReaderStallsTheRingAndLosesNothing) {
  std::string all;
  for (int i = 0; i < 300'000; ++i) all += static_cast<char>(i * 31 >> 3);
  std::string got;
  std::thread reader([&] { got = ReadFrom(out_[0], all.size()); });
  for (size_t done = 0; done < all.size();) {
    done += Produce(std::string_view(all).substr(done, 5000));
    channel_->OnDoorbell();
  }
  channel_->Finish(-1, absl::Seconds(10));
  reader.join();
  EXPECT_TRUE(got == all);
}

TEST_F(ProgramChannelTest, AGuestThatWaitsForRoomIsRungWhenThereIsSome) {
  const std::string much(1 << 20, 'x');
  std::string_view left = much;
  for (int i = 0; i < 100; ++i) {  // nobody reads: the pipe, then the ring is full
    left.remove_prefix(Produce(left));
    channel_->OnDoorbell();
  }
  EXPECT_GT(left.size(), 500'000u);
  std::atomic_ref(header().stdout_ring.producer_waits).store(1);
  const int before = rings_;
  ReadFrom(out_[0], 100'000);
  for (int i = 0; i < 1000 && rings_ == before; ++i) usleep(1000);
  EXPECT_GT(rings_, before);
}

TEST_F(ProgramChannelTest, AnIndexThatCannotBeTrueEndsOnlyItsStream) {
  header().stdout_ring.produced = CHANNEL_STDOUT_SIZE + 1;
  base_[CHANNEL_STDERR_OFFSET] = 'e';
  header().stderr_ring.produced = 1;
  channel_->OnDoorbell();
  EXPECT_EQ(header().stdout_ring.consumer_gone, 1u);
  header().stdout_ring.produced = 1;  // too late
  channel_->Finish(-1, absl::Seconds(1));
  EXPECT_EQ(ReadFrom(err_[0], 1), "e");
  channel_.reset();  // it has a descriptor of its own
  close(out_[1]);
  EXPECT_EQ(ReadFrom(out_[0], 1), "");
}

TEST_F(ProgramChannelTest, TheGuestLearnsThatAReaderHasLeft) {
  close(out_[0]);
  Produce("to nobody");
  channel_->OnDoorbell();
  EXPECT_EQ(header().stdout_ring.consumer_gone, 1u);
  EXPECT_GT(rings_, 0);
}

TEST_F(ProgramChannelTest, InputGoesThroughTheRingAndWaitsForRoom) {
  const std::string text(CHANNEL_STDIN_SIZE + 100, 'i');
  EXPECT_EQ(channel_->Offer(BytesOfText(text)), static_cast<size_t>(CHANNEL_STDIN_SIZE));
  EXPECT_EQ(channel_->Offer(BytesOfText("x")), 0u);
  EXPECT_EQ(header().stdin_ring.produced, static_cast<uint32_t>(CHANNEL_STDIN_SIZE));
  header().stdin_ring.consumed = 50;
  channel_->OnDoorbell();
  EXPECT_EQ(rooms_, 1);
  EXPECT_EQ(channel_->Offer(BytesOfText(text)), 50u);
  channel_->EndInput();
  EXPECT_EQ(header().stdin_ring.ended, 1u);
}

TEST_F(ProgramChannelTest, InputForAGuestThatLiesAboutItIsDropped) {
  header().stdin_ring.consumed = 1;
  EXPECT_EQ(channel_->Offer(BytesOfText("abc")), 3u);
  EXPECT_EQ(header().stdin_ring.produced, 0u);
}

TEST_F(ProgramChannelTest, TheMailboxIsReadAsItIsAndItsTextIsMadePrintable) {
  header().stage = kStageModuleFailed;
  header().error = 22;
  std::memcpy(header().text, "a\x1b[31m", 6);
  const ProgramEnd end = channel_->end();
  EXPECT_TRUE(end.failed());
  EXPECT_EQ(end.text, "a?[31m");
  EXPECT_THAT(DescribeProgramEnd(end), testing::HasSubstr("Invalid argument"));
  std::memset(header().text, 'x', CHANNEL_TEXT_SIZE);
  EXPECT_EQ(channel_->end().text.size(), static_cast<size_t>(CHANNEL_TEXT_SIZE));
}

}  // namespace
}  // namespace vmm
