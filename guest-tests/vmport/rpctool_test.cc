// Debian's vmware-rpctool against the backdoor. Each test checks what a user of the tool would see.
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>

#include "devices/vmport/backdoor.h"
#include "devices/vmport/testing/backdoor_client.h"
#include "guest-tests/vmport/clients.h"
#include "guest-tests/vmport/traced_client.h"

namespace vmm {
namespace {

const std::string kRpctool = ClientPath("/usr/bin/vmware-rpctool");

class RpctoolTest : public testing::Test {
 protected:
  void SetUp() override {
    if (access(kRpctool.c_str(), X_OK) != 0) GTEST_SKIP() << kRpctool << " is not there: vmport/fetch-clients gets it";
    UseClientLibraries();
  }

  TracedRun Run(const std::string& request) {
    auto run = RunTraced({kRpctool, request}, options_);
    EXPECT_TRUE(run.ok()) << run.status();
    return run.ok() ? *std::move(run) : TracedRun();
  }

  void ExpectSays(const std::string& request, const std::string& answer) {
    const TracedRun run = Run(request);
    EXPECT_EQ(run.exit_status, 0) << run.err;
    EXPECT_EQ(run.out, answer + "\n");
    EXPECT_EQ(run.err, "");
  }

  void ExpectFails(const std::string& request, const std::string& words) {
    const TracedRun run = Run(request);
    EXPECT_EQ(run.exit_status, 1);
    EXPECT_EQ(run.out, "");
    EXPECT_EQ(run.err, words + "\n");
  }

  static bool IsMessage(const BackdoorRegisters& registers, uint16_t type) {
    return (registers.ecx & 0xffff) == kCmdMessage && registers.ecx >> 16 == type;
  }

  TestBackdoor test_;
  Backdoor& backdoor_ = test_.backdoor;
  TraceOptions options_ = {.on_in = [this](BackdoorRegisters& registers) { backdoor_.In(0, 4, registers); }};
};

TEST_F(RpctoolTest, P1_WhatItSetsItGets) {
  ExpectSays("info-set guestinfo.verdict all tests passed", "");
  EXPECT_EQ(backdoor_.GuestInfo().at("verdict").value, "all tests passed");
  ExpectSays("info-get guestinfo.verdict", "all tests passed");
  EXPECT_EQ(backdoor_.bytes_held(), std::string("verdictall tests passed").size());
}

TEST_F(RpctoolTest, P2_WhatIsNotThereIsNotFound) { ExpectFails("info-get guestinfo.nothing", "No value found"); }

TEST_F(RpctoolTest, P3_AnUnknownCommandFails) { ExpectFails("bogus", "Unknown command"); }

TEST_F(RpctoolTest, P4_ValuesOfEverySizeArriveWhole) {
  for (const size_t size : {1, 2, 3, 4, 5, 127, 128, 129, 4095, 4096, 4097, 65'000}) {
    std::string value;
    for (size_t i = 0; i < size; ++i) value.push_back(static_cast<char>('!' + (i * 7 + i / 90) % 90));
    ExpectSays("info-set guestinfo.k " + value, "");
    EXPECT_EQ(backdoor_.GuestInfo().at("k").value, value) << size;
    ExpectSays("info-get guestinfo.k", value);
  }
}

TEST_F(RpctoolTest, P4_TheFirstSizeTooManyIsRefused) {
  ExpectFails("info-set guestinfo.k " + std::string(65'001, 'v'), "Value too long");
  const TracedRun run = Run("info-set guestinfo.k " + std::string(65'536, 'v'));  // longer than any message can be
  EXPECT_EQ(run.exit_status, 1);
  EXPECT_TRUE(backdoor_.GuestInfo().empty());
}

TEST_F(RpctoolTest, P5_AValueOfTheHostIsReadWithAllItsBytes) {
  std::string value;
  for (int i = 1; i < 256; ++i) value.push_back(static_cast<char>(i));
  ASSERT_TRUE(backdoor_.SetGuestInfo("bytes", value).ok());
  ExpectSays("info-get guestinfo.bytes", value);
}

TEST_F(RpctoolTest, P6_AnEmptyCommandIsUnknown) { ExpectFails("", "Unknown command"); }

TEST_F(RpctoolTest, P7_TheConversationIsTheOneThatWasMeasured) {
  ASSERT_TRUE(backdoor_.SetGuestInfo("a", "hello").ok());
  const TracedRun run = Run("info-get guestinfo.a");
  const struct {
    uint16_t type;
    uint32_t ebx;
  } messages[] = {
      {kMessageOpen, 0xc9435052},        {kMessageSendSize, 20},
      {kMessageSendPayload, 0x6f666e69}, {kMessageSendPayload, 0x7465672d},
      {kMessageSendPayload, 0x65756720}, {kMessageSendPayload, 0x6e697473},
      {kMessageSendPayload, 0x612e6f66}, {kMessageRecvSize, 0},
      {kMessageRecvPayload, 1},          {kMessageRecvPayload, 1},
      {kMessageRecvStatus, 1},           {kMessageClose, 0},
  };
  ASSERT_EQ(run.asked.size(), 2 + std::size(messages));
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(run.asked[i].ecx & 0xffff, kCmdGetVersion);
    EXPECT_EQ(run.asked[i].ebx, ~kBackdoorMagic);
  }
  for (size_t i = 0; i < std::size(messages); ++i) {
    const BackdoorRegisters& asked = run.asked[2 + i];
    EXPECT_TRUE(IsMessage(asked, messages[i].type)) << i;
    // The EBX that RECVSIZE and CLOSE leave has no meaning.
    if (messages[i].ebx != 0) {
      EXPECT_EQ(asked.ebx, messages[i].ebx) << i;
    }
  }
  EXPECT_EQ(run.answered[9].ebx, 7u);
  EXPECT_EQ(run.answered[9].ecx, 0x0003001eu);
  EXPECT_EQ(run.answered[9].edx, 0x00015658u);
  EXPECT_EQ(run.answered[10].ebx, 0x65682031u);
  EXPECT_EQ(run.answered[11].ebx, 0x006f6c6cu);
  EXPECT_EQ(run.out, "hello\n");
}

TEST_F(RpctoolTest, P8_WhereCookiesAreRefusedItGoesOnWithoutOne) {
  ASSERT_TRUE(backdoor_.SetGuestInfo("a", "hello").ok());
  int refused = 0;
  options_.on_in = [&](BackdoorRegisters& registers) {
    if (IsMessage(registers, kMessageOpen) && (registers.ebx & kMessageFlagCookie) != 0) {
      registers.ecx = kCmdMessage;
      ++refused;
      return;
    }
    backdoor_.In(0, 4, registers);
  };
  ExpectSays("info-get guestinfo.a", "hello");
  EXPECT_EQ(refused, 1);
}

// We do not offer the bulk port, and a client then does not try it: each word is an IN.
TEST_F(RpctoolTest, P10_WithoutTheBulkPortEveryWordGoesByRegisters) {
  const std::string value(4096, 'v');
  ASSERT_TRUE(backdoor_.SetGuestInfo("a", value).ok());
  const TracedRun run = Run("info-get guestinfo.a");
  EXPECT_EQ(run.out, value + "\n");
  // 2 GETVERSION, OPEN, size and 5 words of the request, size and 4098 bytes of the answer, status, CLOSE.
  EXPECT_EQ(run.asked.size(), 2u + 1 + 1 + 5 + 1 + (4098 + 3) / 4 + 1 + 1);
  for (size_t i = 3; i < run.answered.size(); ++i) {
    EXPECT_EQ(run.answered[i].ecx >> 16 & ~uint32_t{kStatusSuccess | kStatusDoRecv}, 0u) << "no offer in a status";
  }
}

TEST_F(RpctoolTest, AnyOtherHypervisorsNameIsGoodEnough) {
  ASSERT_TRUE(backdoor_.SetGuestInfo("a", "hello").ok());
  for (const char* name : {"", "TCGTCGTCGTCG"}) {
    options_.hypervisor = name;
    ExpectSays("info-get guestinfo.a", "hello");
  }
}

// V3, without the VM.
TEST_F(RpctoolTest, V3_WhereKvmGivesItsNameItDoesNotEvenAsk) {
  options_.hypervisor = std::string("KVMKVMKVM\0\0\0", 12);
  const TracedRun run = Run("info-get guestinfo.a");
  EXPECT_EQ(run.exit_status, 255);
  EXPECT_EQ(backdoor_.message_count(), 0u);
}

TEST_F(RpctoolTest, WithoutABackdoorItSaysSo) {
  options_.on_in = [](BackdoorRegisters& registers) { registers.eax = kBackdoorRefused; };
  EXPECT_EQ(Run("info-get guestinfo.a").exit_status, 255);
}

// P9 and V12: saves and restores before the n-th IN, for every n.
class RpctoolRestoreTest : public RpctoolTest, public testing::WithParamInterface<Backdoor::RestoreMode> {
 protected:
  void RestoreBefore(size_t n) {
    machines_.clear();
    machines_.push_back(std::make_unique<TestBackdoor>());
    ASSERT_TRUE(machines_.back()->backdoor.SetGuestInfo("a", "hello").ok());
    ins_ = 0;
    cpts_ = 0;
    options_.on_in = [this, n](BackdoorRegisters& registers) {
      if (ins_++ == n) {
        const std::string image = machines_.back()->backdoor.Save();
        machines_.push_back(std::make_unique<TestBackdoor>());
        EXPECT_TRUE(machines_.back()->backdoor.Restore(image, GetParam()).ok());
      }
      machines_.back()->backdoor.In(0, 4, registers);
      if ((registers.ecx & 0xffff) == kCmdMessage && registers.ecx >> 16 == kStatusCpt) ++cpts_;
    };
  }

  std::vector<std::unique_ptr<TestBackdoor>> machines_;
  size_t ins_ = 0;
  int cpts_ = 0;
};

TEST_P(RpctoolRestoreTest, P9_V12_ARestoreBeforeAnyInIsNotSeen) {
  int cpts = 0;
  for (size_t n = 0; n < 14; ++n) {
    RestoreBefore(n);
    ExpectSays("info-get guestinfo.a", "hello");
    EXPECT_EQ(machines_.size(), 2u);
    cpts += cpts_;
    RestoreBefore(n);
    ExpectSays("info-set guestinfo.b some value", "");
    EXPECT_EQ(machines_.back()->backdoor.GuestInfo().at("b").value, "some value");
  }
  // Five words sent, two fetched, and the status.
  EXPECT_EQ(cpts, GetParam() == Backdoor::RestoreMode::kCheckpoint ? 8 : 0);
}

INSTANTIATE_TEST_SUITE_P(Modes, RpctoolRestoreTest,
                         testing::Values(Backdoor::RestoreMode::kExact, Backdoor::RestoreMode::kCheckpoint));

}  // namespace
}  // namespace vmm
