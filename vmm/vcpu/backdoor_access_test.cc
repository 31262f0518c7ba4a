#include "vmm/vcpu/backdoor_access.h"

#include "devices/vmport/testing/backdoor_client.h"
#include "gtest/gtest.h"
#include "vmm/vcpu/dispatch_exit.h"
#include "vmm/vcpu/testing/scripted_vcpu.h"

namespace vmm {
namespace {

constexpr uint64_t kGarbage = 0xdeadbeef00000000;

class BackdoorAccessTest : public testing::Test {
 protected:
  using Bytes = std::vector<uint8_t>;

  BackdoorAccessTest() {
    EXPECT_TRUE(pio_.Add(kBackdoorPort, Backdoor::kSize, &test_.backdoor).ok());
    registers_ = {.rax = kGarbage | kBackdoorMagic,
                  .rbx = kGarbage | 1,
                  .rcx = kGarbage | kCmdGetVersion,
                  .rdx = kGarbage | kBackdoorPort,
                  .rsi = kGarbage | 2,
                  .rdi = kGarbage | 3,
                  .rbp = kGarbage | 4};
  }

  // Returns the data as the guest would take it.
  Bytes Access(uint16_t port, uint8_t size, bool is_write = false) {
    Bytes data(size, 0x77);
    const IoExit exit{.port = port, .size = size, .is_write = is_write, .data = data, .registers = &registers_};
    EXPECT_EQ(DispatchExit(exit, 0, {pio_, mmio_, &test_.backdoor}, panics_), NextStep::kResume);
    return data;
  }

  struct NoPanics final : PanicSink {
    void OnPanic(const PanicEvent&) override { ADD_FAILURE(); }
  };

  TestBackdoor test_;
  Bus pio_, mmio_;
  NoPanics panics_;
  IoRegisters registers_;
};

TEST_F(BackdoorAccessTest, R8_AResultIsInTheDataAndInRaxWhoseHighHalfIsClear) {
  EXPECT_EQ(Access(kBackdoorPort, 4), (Bytes{6, 0, 0, 0}));
  EXPECT_EQ(registers_.rax, 6u);
}

TEST_F(BackdoorAccessTest, R8_AByteOrWordLeavesTheRestOfRax) {
  EXPECT_EQ(Access(kBackdoorPort, 1), (Bytes{6}));
  EXPECT_EQ(registers_.rax, kGarbage | (kBackdoorMagic & ~0xffu) | 6);
  registers_.rax = kGarbage | kBackdoorMagic;
  registers_.rcx = kCmdGetVersion;
  EXPECT_EQ(Access(kBackdoorPort, 2), (Bytes{6, 0}));
  EXPECT_EQ(registers_.rax, kGarbage | (kBackdoorMagic & ~0xffffu) | 6);
}

TEST_F(BackdoorAccessTest, R3_TheHighHalvesOfTheOthersAreNeitherReadNorChanged) {
  Access(kBackdoorPort, 4);
  EXPECT_EQ(registers_, (IoRegisters{.rax = 6,
                                     .rbx = kGarbage | kBackdoorMagic,
                                     .rcx = kGarbage | kProductEsx,
                                     .rdx = kGarbage | kBackdoorPort,
                                     .rsi = kGarbage | 2,
                                     .rdi = kGarbage | 3,
                                     .rbp = kGarbage | 4}));
}

TEST_F(BackdoorAccessTest, R4_AnOutActsAndLeavesRaxAndItsData) {
  EXPECT_EQ(Access(kBackdoorPort, 4, /*is_write=*/true), (Bytes(4, 0x77)));
  EXPECT_EQ(registers_.rax, kGarbage | kBackdoorMagic);
  EXPECT_EQ(registers_.rbx, kGarbage | kBackdoorMagic);
}

TEST_F(BackdoorAccessTest, R2_ARefusalChangesRaxAlone) {
  registers_.rcx = kGarbage | 0x10a;
  IoRegisters expected = registers_;
  expected.rax = 0xffffffff;
  EXPECT_EQ(Access(kBackdoorPort, 4), Bytes(4, 0xff));
  EXPECT_EQ(registers_, expected);
}

TEST_F(BackdoorAccessTest, R6_TheNextThreePortsAreOpenBus) {
  for (const uint16_t port : {0x5659, 0x565a, 0x565b}) {
    registers_.rax = kBackdoorMagic;
    EXPECT_EQ(Access(port, 4), Bytes(4, 0xff));
    EXPECT_EQ(registers_.rax, 0xffffffffu);
    EXPECT_EQ(registers_.rbx, kGarbage | 1);
  }
}

TEST_F(BackdoorAccessTest, R9_AnExitWithoutRegistersIsOpenBus) {
  ScriptedVcpu vcpu;
  vcpu.AddIn(kBackdoorPort, 4, 3).AddIn(kBackdoorPort, 1);
  for (int i = 0; i < 2; ++i) DispatchExit(*vcpu.Run(), 0, {pio_, mmio_, &test_.backdoor}, panics_);
  EXPECT_TRUE(vcpu.CompletePendingIo().ok());
  EXPECT_EQ(vcpu.answers(), (std::vector<Bytes>{Bytes(12, 0xff), Bytes(1, 0xff)}));
}

TEST_F(BackdoorAccessTest, NoOtherDeviceMayHaveAnyOfTheFourPorts) {
  TestBackdoor other;
  for (const uint16_t port : {0x5658, 0x5659, 0x565a, 0x565b}) {
    const absl::Status status = pio_.Add(port, 1, &other.backdoor);
    EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  }
}

}  // namespace
}  // namespace vmm
