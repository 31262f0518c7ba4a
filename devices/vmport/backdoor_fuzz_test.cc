// Uses the backdoor at random, in limited amounts. F1 and F2 compare it with a model that says what each command must
// answer. F3 uses images altered at random. F4 uses two threads. VMPORT_FUZZ_STEPS=10000000 in the environment makes
// each as long as you like.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <thread>

#include "devices/vmport/backdoor.h"
#include "devices/vmport/testing/backdoor_client.h"
#include "devices/vmport/vmport_state.h"

namespace vmm {
namespace {

// A second version of the channel automaton, written from docs/abi/vmport.md and not from the code. It keeps no bytes:
// it takes an answer's length from the device and checks the rest.
class Model {
 public:
  // Checks the device's answer to `in`.
  void Check(const BackdoorRegisters& in, const BackdoorRegisters& out) {
    BackdoorRegisters expected = in;
    const uint16_t status = static_cast<uint16_t>(out.ecx >> 16);
    const uint16_t want = Expect(in, out, expected);
    ASSERT_EQ(status, want) << "type " << (in.ecx >> 16);
    expected.ecx = uint32_t{want} << 16 | kCmdMessage;
    ASSERT_EQ(out, expected) << "type " << (in.ecx >> 16);
  }

  struct Channel {
    uint64_t cookie = 0;
    bool any_cookie = false;
    bool tclo = false;
    bool sending = false;
    uint32_t left = 0;
    bool waits = false;
    bool maybe = false;  // TCLO: only the device knows whether a message waits
    bool receiving = false;
    uint32_t length = 0;
    uint32_t fetched = 0;
  };
  const std::map<uint16_t, Channel>& channels() const { return channels_; }

 private:
  uint16_t Expect(const BackdoorRegisters& in, const BackdoorRegisters& out, BackdoorRegisters& expected) {
    const uint32_t type = in.ecx >> 16;
    if (type == kMessageOpen) return ExpectOpen(in, out, expected);
    const auto it = channels_.find(static_cast<uint16_t>(in.edx >> 16));
    if (it == channels_.end()) return kStatusFail;
    Channel& c = it->second;
    if (!c.any_cookie && c.cookie != (uint64_t{in.esi} << 32 | in.edi)) return kStatusFail;
    switch (type) {
      case kMessageSendSize:
        c.sending = in.ebx > 0 && in.ebx <= 65536;
        c.left = in.ebx;
        if (in.ebx > 65536) return kStatusFail;
        if (in.ebx == 0) Complete(c);
        return kStatusSuccess;
      case kMessageSendPayload:
        if (!c.sending) return kStatusFail;
        c.left -= std::min<uint32_t>(4, c.left);
        if (c.left == 0) Complete(c);
        return kStatusSuccess;
      case kMessageRecvSize:
        if (c.maybe) {
          c.waits = (out.ecx >> 16 & kStatusDoRecv) != 0;
          c.maybe = false;
        }
        if (!c.waits) return kStatusSuccess;
        c.receiving = true;
        c.length = expected.ebx = out.ebx;
        c.fetched = 0;
        EXPECT_GE(c.length, 2u);
        EXPECT_LE(c.length, 65'002u);
        expected.edx = 0x10000 | kBackdoorPort;
        return kStatusSuccess | kStatusDoRecv;
      case kMessageRecvPayload:
        if (!c.receiving) return kStatusFail;
        if ((in.ebx & 1) == 0) c.receiving = c.waits = false;
        if ((in.ebx & 1) == 0 || c.fetched >= c.length) return kStatusFail;
        c.fetched += 4;
        expected.ebx = out.ebx;
        expected.edx = 0x20000 | kBackdoorPort;
        return kStatusSuccess;
      case kMessageRecvStatus:
        if (!c.receiving) return kStatusFail;
        c.receiving = c.waits = false;
        return kStatusSuccess;
      case kMessageClose: channels_.erase(it); return kStatusSuccess;
    }
    return kStatusFail;
  }

  uint16_t ExpectOpen(const BackdoorRegisters& in, const BackdoorRegisters& out, BackdoorRegisters& expected) {
    const uint32_t protocol = in.ebx & 0x7fffffff;
    if ((protocol != kProtocolRpci && protocol != kProtocolTclo) || channels_.size() == 128) return kStatusFail;
    uint16_t id = 0;
    while (channels_.contains(id)) ++id;
    expected.edx = uint32_t{id} << 16 | kBackdoorPort;
    Channel& c = channels_[id];
    c.tclo = protocol == kProtocolTclo;
    c.any_cookie = (in.ebx & kMessageFlagCookie) == 0;
    if (!c.any_cookie) {
      expected.esi = out.esi;
      expected.edi = out.edi;
      c.cookie = uint64_t{out.esi} << 32 | out.edi;
    }
    return kStatusSuccess;
  }

  static void Complete(Channel& c) {
    c.sending = false;
    if (c.tclo) {
      c.maybe = !c.waits;
      return;
    }
    c.waits = true;
    c.receiving = false;
  }

  std::map<uint16_t, Channel> channels_;
};

// Registers that a guest might have. They are mostly close to valid, because then more happens.
class Guest {
 public:
  explicit Guest(uint32_t seed) : random_(seed) {}

  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }

  BackdoorRegisters Next(const Model& model) {
    BackdoorRegisters in = {.eax = kBackdoorMagic,
                            .ebx = static_cast<uint32_t>(random_()),
                            .ecx = Below(8) << 16 | kCmdMessage,
                            .edx = Below(140) << 16 | kBackdoorPort,
                            .esi = static_cast<uint32_t>(random_()),
                            .edi = static_cast<uint32_t>(random_()),
                            .ebp = static_cast<uint32_t>(random_())};
    if (!model.channels().empty() && Below(16) != 0) {
      // A few channels get most of the words, so that messages are completed.
      auto it = model.channels().begin();
      std::advance(it, Below(static_cast<uint32_t>(std::min<size_t>(3, model.channels().size()))));
      in.edx = uint32_t{it->first} << 16 | kBackdoorPort;
      in.esi = static_cast<uint32_t>(it->second.cookie >> 32);
      in.edi = static_cast<uint32_t>(it->second.cookie);
      if (it->second.sending && Below(8) != 0) in.ecx = uint32_t{kMessageSendPayload} << 16 | kCmdMessage;
    }
    switch (in.ecx >> 16) {
      case kMessageOpen:
        if (Below(8) != 0) in.ebx = (Below(2) == 0 ? kProtocolRpci : kProtocolTclo) | (in.ebx & kMessageFlagCookie);
        break;
      case kMessageSendSize:
        if (Below(16) != 0) in.ebx = Below(64);
        break;
      case kMessageSendPayload: in.ebx = Word(); break;
      case kMessageClose:
        if (Below(4) != 0) in.ecx = uint32_t{kMessageRecvSize} << 16 | kCmdMessage;
        break;
    }
    return in;
  }

 private:
  // Pieces of requests. In a random order they sometimes form a request.
  uint32_t Word() {
    constexpr std::string_view kPieces =
        "info-get guestinfo.k   info-set guestinfo.k v  log x   OK ATR toolbox  OK  ERROR   tools.set.version 1 ";
    if (Below(4) == 0) return static_cast<uint32_t>(random_());
    const size_t at = Below(kPieces.size() / 4) * 4;
    uint32_t word = 0;
    for (size_t i = 0; i < 4; ++i) word |= uint32_t{static_cast<uint8_t>(kPieces[at + i])} << (8 * i);
    return word;
  }

  std::mt19937 random_;
};

int Steps(int normal) {
  const char* const steps = std::getenv("VMPORT_FUZZ_STEPS");
  return steps == nullptr ? normal : std::atoi(steps);
}

TEST(BackdoorFuzzTest, F1_WhateverTheGuestSendsTheModelKnowsTheAnswer) {
  TestBackdoor test;
  Model model;
  Guest guest(1);
  const int steps = Steps(200'000);
  for (int i = 0; i < steps; ++i) {
    const BackdoorRegisters in = guest.Next(model);
    BackdoorRegisters out = in;
    test.backdoor.In(0, 4, out);
    model.Check(in, out);
    if (HasFatalFailure()) FAIL() << "step " << i;
    if (i % 100 == 0) test.backdoor.Send("ping").IgnoreError();
    if (i % 10'000 == 0) {
      ASSERT_LE(test.backdoor.bytes_held(), Backdoor::kMaxBytesHeld);
      test.backdoor.TakeResults();
    }
  }
  EXPECT_EQ(test.backdoor.message_count(), static_cast<uint64_t>(steps));
}

// Entirely random registers: only a MESSAGE changes state, and a refusal changes only EAX.
TEST(BackdoorFuzzTest, F1_RegistersAtRandomAreHarmless) {
  TestBackdoor test;
  std::mt19937 random(2);
  for (int i = 0; i < 50'000; ++i) {
    BackdoorRegisters in;
    for (uint32_t* value : {&in.eax, &in.ebx, &in.ecx, &in.edx, &in.esi, &in.edi, &in.ebp}) *value = random();
    if (i % 2 == 0) in.eax = kBackdoorMagic;
    if (i % 2 == 0) in.edx = (in.edx & 0xffff0000) | kBackdoorPort;
    BackdoorRegisters out = in;
    test.backdoor.In(0, 4, out);
    if (out.eax == kBackdoorRefused) {
      in.eax = kBackdoorRefused;
      ASSERT_EQ(out, in);
    }
  }
}

// The INs of a real client, with one of them changed. The model still knows the answers.
class ChangedRun {
 public:
  static constexpr uint32_t kRun[][2] = {
      {kMessageOpen, 0xc9435052},        {kMessageSendSize, 20},
      {kMessageSendPayload, 0x6f666e69}, {kMessageSendPayload, 0x7465672d},
      {kMessageSendPayload, 0x65756720}, {kMessageSendPayload, 0x6e697473},
      {kMessageSendPayload, 0x612e6f66}, {kMessageRecvSize, 0},
      {kMessageRecvPayload, 1},          {kMessageRecvPayload, 1},
      {kMessageRecvStatus, 1},           {kMessageClose, 0},
  };
  static constexpr size_t kLength = std::size(kRun);
  static constexpr size_t kWords = 5;  // EBX, ECX, EDX, ESI, EDI

  // Flips `bits` in word number `word` of IN number `changed`.
  static void Check(size_t changed, size_t word, uint32_t bits) {
    TestBackdoor test;
    ASSERT_TRUE(test.backdoor.SetGuestInfo("a", "hello").ok());
    Model model;
    GuestChannel channel;
    for (size_t i = 0; i < kLength; ++i) {
      BackdoorRegisters in = {.eax = kBackdoorMagic,
                              .ebx = kRun[i][1],
                              .ecx = kRun[i][0] << 16 | kCmdMessage,
                              .edx = uint32_t{channel.id} << 16 | kBackdoorPort,
                              .esi = channel.cookie_high,
                              .edi = channel.cookie_low,
                              .ebp = 0};
      if (i == changed) {
        uint32_t* const words[kWords] = {&in.ebx, &in.ecx, &in.edx, &in.esi, &in.edi};
        *words[word] ^= bits;
      }
      BackdoorRegisters out = in;
      test.backdoor.In(0, 4, out);
      const bool is_message = (in.ecx & 0xffff) == kCmdMessage && (in.edx & 0xffff) == kBackdoorPort;
      if (is_message) model.Check(in, out);
      ASSERT_FALSE(testing::Test::HasFatalFailure()) << "IN " << i << " of the run with IN " << changed << " changed";
      if (i == 0) channel = {static_cast<uint16_t>(out.edx >> 16), out.esi, out.edi};
    }
  }
};

TEST(BackdoorFuzzTest, F2_ARealRunWithOneBitChangedIsAnsweredAsTheModelSays) {
  for (size_t changed = 0; changed < ChangedRun::kLength; ++changed) {
    for (size_t bit = 0; bit < ChangedRun::kWords * 32; ++bit) {
      ChangedRun::Check(changed, bit / 32, uint32_t{1} << (bit % 32));
      if (HasFatalFailure()) return;
    }
  }
}

TEST(BackdoorFuzzTest, F2_ARealRunWithOneWordChangedIsAnsweredAsTheModelSays) {
  std::mt19937 random(2);
  const int runs = Steps(24'000) / static_cast<int>(ChangedRun::kLength);
  for (int i = 0; i < runs; ++i) {
    // Prefers small numbers, because the values with a meaning are small.
    const uint32_t bits = random() % 2 == 0 ? random() : (random() & 0xf) << (random() % 2 * 16);
    ChangedRun::Check(random() % ChangedRun::kLength, random() % ChangedRun::kWords, bits);
    if (HasFatalFailure()) FAIL() << "run " << i;
  }
}

TEST(BackdoorFuzzTest, F3_AnImageBentAtRandomIsRefusedOrCouldHaveBeenSaved) {
  TestBackdoor from;
  ASSERT_TRUE(from.backdoor.SetGuestInfo("a", "hello").ok());
  CallRpci(from.backdoor, "info-set guestinfo.b value");
  CallRpci(from.backdoor, "log a line");
  const GuestChannel tools = StartTools(from.backdoor);
  ASSERT_TRUE(from.backdoor.Send("ping").ok());
  Poll(from.backdoor, tools);
  const auto channel = OpenChannel(from.backdoor);
  ASSERT_TRUE(channel.has_value());
  SendText(from.backdoor, *channel, "info-get guestinfo.a");
  const std::string image = from.backdoor.Save();
  const std::string payload(*UnsealState(image));

  std::mt19937 random(3);
  const int rounds = Steps(5'000);
  for (int i = 0; i < rounds; ++i) {
    std::string bent = payload;
    for (uint32_t n = random() % 4 + 1; n > 0 && !bent.empty(); --n) {
      const size_t at = random() % bent.size();
      switch (random() % 4) {
        case 0: bent[at] = static_cast<char>(random()); break;
        case 1: bent.erase(at, random() % 8); break;
        case 2: bent.insert(at, random() % 8, static_cast<char>(random())); break;
        case 3: bent.replace(at, 4, "\xff\xff\xff\x7f"); break;
      }
    }
    const std::string sealed = SealState(bent);
    TestBackdoor live;
    const std::string before = live.backdoor.Save();
    const bool taken = live.backdoor.Restore(sealed, Backdoor::RestoreMode::kExact).ok();
    ASSERT_EQ(live.backdoor.Save(), taken ? sealed : before) << "round " << i;
    if (!taken) continue;
    // The backdoor still works after it.
    CallRpci(live.backdoor, "info-get guestinfo.a");
    Poll(live.backdoor, tools, "OK ");
    live.backdoor.TakeResults();
  }
}

TEST(BackdoorFuzzTest, F4_TwoVcpusAndTheHostAtOnce) {
  TestBackdoor test;
  const GuestChannel tools = StartTools(test.backdoor);
  // One round of each vCPU is about forty steps.
  const int rounds = std::max(Steps(300 * 80) / 80, 1);
  const auto vcpu = [&test, rounds](char name) {
    for (int i = 0; i < rounds; ++i) {
      const std::string value = name + std::to_string(i);
      EXPECT_EQ(CallRpci(test.backdoor, std::string("info-set guestinfo.") + name + " " + value), "1 ");
      EXPECT_EQ(CallRpci(test.backdoor, std::string("info-get guestinfo.") + name), "1 " + value);
    }
  };
  std::thread a(vcpu, 'a');
  std::thread b(vcpu, 'b');
  std::thread program([&] {
    for (int i = 0; i < 2 * rounds; ++i) Poll(test.backdoor, tools, i % 2 == 0 ? "" : "OK ");
  });
  std::string image;
  for (int i = 0; i < rounds / 3; ++i) {
    test.backdoor.Send("ping").IgnoreError();
    test.backdoor.TakeResults();
    test.backdoor.Tools();
    image = test.backdoor.Save();
  }
  a.join();
  b.join();
  program.join();
  EXPECT_TRUE(TestBackdoor().backdoor.Restore(image, Backdoor::RestoreMode::kExact).ok());
  EXPECT_EQ(test.backdoor.GuestInfo().at("a").value, "a" + std::to_string(rounds - 1));
  EXPECT_EQ(test.backdoor.GuestInfo().at("b").value, "b" + std::to_string(rounds - 1));
}

}  // namespace
}  // namespace vmm
