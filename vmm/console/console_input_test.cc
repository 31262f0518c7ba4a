#include "vmm/console/console_input.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace vmm {
namespace {

// A guest that takes at most `room` bytes.
struct Guest {
  size_t room = 1000;
  std::string got;

  ConsoleInput::Receive Receiver() {
    return [this](std::span<const uint8_t> bytes) {
      const size_t taken = std::min(room, bytes.size());
      got.append(reinterpret_cast<const char*>(bytes.data()), taken);
      room -= taken;
      return taken;
    };
  }
};

bool Type(ConsoleInput& input, std::string_view keys) {
  return input.Take({reinterpret_cast<const uint8_t*>(keys.data()), keys.size()});
}

TEST(ConsoleInputTest, CtrlAXQuits) {
  Guest guest;
  ConsoleInput input(/*escapes=*/true, guest.Receiver());
  EXPECT_FALSE(Type(input, "ls\x01"));
  EXPECT_TRUE(Type(input, "x"));
  EXPECT_EQ(guest.got, "ls");
}

TEST(ConsoleInputTest, CtrlADAndNAreTheRunsAndDoNotReachTheGuest) {
  Guest guest;
  ConsoleInput input(/*escapes=*/true, guest.Receiver());
  EXPECT_FALSE(Type(input,
                    "\x01"
                    "d"))
      << "without a receiver";
  std::string keys;
  input.SetKeys([&](char key) { keys += key; });
  EXPECT_FALSE(Type(input,
                    "a\x01"
                    "db\x01"
                    "N\x01\x04"
                    "dn"));
  EXPECT_EQ(keys, "dn");
  EXPECT_EQ(guest.got, "abdn");
}

TEST(ConsoleInputTest, InAFileTheyAreBytesLikeAnyOther) {
  Guest guest;
  ConsoleInput input(/*escapes=*/false, guest.Receiver());
  std::string keys;
  input.SetKeys([&](char key) { keys += key; });
  Type(input,
       "\x01"
       "d");
  EXPECT_EQ(keys, "");
  EXPECT_EQ(guest.got,
            "\x01"
            "d");
}

TEST(ConsoleInputTest, CtrlATwiceSendsOneAndAnUnknownEscapeSendsNothing) {
  Guest guest;
  ConsoleInput input(/*escapes=*/true, guest.Receiver());
  EXPECT_FALSE(Type(input,
                    "a\x01\x01"
                    "b\x01qc"));
  EXPECT_EQ(guest.got,
            "a\x01"
            "bc");
}

TEST(ConsoleInputTest, APipeHasNoEscapes) {
  Guest guest;
  ConsoleInput input(/*escapes=*/false, guest.Receiver());
  EXPECT_FALSE(Type(input, "\x01x"));
  EXPECT_EQ(guest.got, "\x01x");
}

TEST(ConsoleInputTest, WhatTheGuestHasNoRoomForWaitsAndIsNotLost) {
  Guest guest{.room = 2};
  ConsoleInput input(/*escapes=*/false, guest.Receiver());
  Type(input, "abcd");
  EXPECT_TRUE(input.full());
  guest.room = 10;
  input.Flush();
  EXPECT_FALSE(input.full());
  EXPECT_EQ(guest.got, "abcd");
}

}  // namespace
}  // namespace vmm
