// Tests ports that answer in registers, on this host's own KVM, in every mode of the processor and with both ways of
// passing registers. VMware's backdoor needs such ports.
#include <array>
#include <string>
#include <tuple>

#include "gtest/gtest.h"
#include "vmm/kvm/testing/tiny_guest.h"

namespace vmm {
namespace {

constexpr uint16_t kPort = 0x5658;
constexpr uint16_t kEnd = 0xf4;  // the OUT that ends a guest

enum class Mode { kReal, kProtected, kCompatibility, kLong };
constexpr std::array kModeNames = {"Real", "Protected", "Compatibility", "Long"};

class RegisterPortsTest : public TinyGuestTest, public testing::WithParamInterface<std::tuple<Mode, bool>> {
 protected:
  Mode mode() const { return std::get<0>(GetParam()); }

  // A register's value at the start: `low`, and in 64-bit mode a high half as well.
  uint64_t Start(uint32_t low) const { return mode() == Mode::kLong ? 0xdead'beef'0000'0000 | low : low; }

  // Makes a VM that starts at `code`, followed by the OUT that ends it.
  void Begin(Bytes code) {
    CreateVm(KvmVmConfig{.register_ports = {.first = kPort, .count = 4, .by_run_page = std::get<1>(GetParam())}});
    CpuState state = *vcpu().ReadState();
    switch (mode()) {
      case Mode::kReal:
        state.cs.base = 0;
        state.cs.selector = 0;
        break;
      case Mode::kProtected:
        state.cs = FlatSegment(0xb, false);
        state.ds = state.es = state.fs = state.gs = state.ss = FlatSegment(3, false);
        state.cr0 = 0x33;  // NE, ET, MP, PE
        break;
      case Mode::kCompatibility:
        state = LongModeState();
        state.cs = FlatSegment(0xb, false);
        break;
      case Mode::kLong: state = LongModeState(); break;
    }
    Bytes all = code;
    all.insert(all.end(), {0xe6, kEnd, 0xf4});  // out 0xf4, al; hlt
    Load(kCode, all);
    state.rip = kCode.value;
    state.rsp = kStack;
    state.rax = Start(0x564d5868);
    state.rbx = Start(0x11111111);
    state.rcx = Start(0x2222000a);
    state.rdx = Start(0x33330000 | kPort);
    state.rsi = Start(0x44444444);
    state.rdi = Start(0x55555555);
    state.rbp = Start(0x66666666);
    ASSERT_TRUE(vcpu().WriteState(state).ok());
  }

  // IN EAX, DX or OUT DX, EAX in the mode's encoding for 32 bits.
  Bytes Wide(uint8_t opcode) const { return mode() == Mode::kReal ? Bytes{0x66, opcode} : Bytes{opcode}; }
  Bytes Word(uint8_t opcode) const { return mode() == Mode::kReal ? Bytes{opcode} : Bytes{0x66, opcode}; }

  // The registers after the instruction, once the guest has reached its end.
  CpuState End() {
    EXPECT_EQ(NextAs<IoExit>().port, kEnd);
    EXPECT_TRUE(vcpu().CompletePendingIo().ok());
    return *vcpu().ReadState();
  }

  // Answers an IN like the backdoor's dispatcher: in the data and in RAX. Inverts the low halves of RBX, RCX, RDX, RSI
  // and RDI.
  static void Answer(const IoExit& exit, uint32_t value) {
    ASSERT_NE(exit.registers, nullptr);
    IoRegisters& registers = *exit.registers;
    const uint64_t mask = (uint64_t{1} << (8 * exit.size)) - 1;
    std::memcpy(exit.data.data(), &value, exit.size);
    registers.rax = exit.size == 4 ? value : (registers.rax & ~mask) | (value & mask);
    for (uint64_t* word : {&registers.rbx, &registers.rcx, &registers.rdx, &registers.rsi, &registers.rdi}) {
      *word = (*word & ~uint64_t{0xffffffff}) | (~*word & 0xffffffff);
    }
  }

  void ExpectOthersInverted(const CpuState& state) {
    EXPECT_EQ(state.rbx, Start(~0x11111111u));
    EXPECT_EQ(state.rcx, Start(~0x2222000au));
    EXPECT_EQ(state.rdx, Start(~(0x33330000u | kPort)));
    EXPECT_EQ(state.rsi, Start(~0x44444444u));
    EXPECT_EQ(state.rdi, Start(~0x55555555u));
    EXPECT_EQ(state.rbp, Start(0x66666666));
  }
};

TEST_P(RegisterPortsTest, R7_R8_AnInOfFourBytesGivesRaxAndTheOthers) {
  Begin(Wide(0xed));
  const IoExit exit = NextAs<IoExit>();
  ASSERT_NE(exit.registers, nullptr);
  EXPECT_EQ(*exit.registers, (IoRegisters{.rax = Start(0x564d5868),
                                          .rbx = Start(0x11111111),
                                          .rcx = Start(0x2222000a),
                                          .rdx = Start(0x33330000 | kPort),
                                          .rsi = Start(0x44444444),
                                          .rdi = Start(0x55555555),
                                          .rbp = Start(0x66666666)}));
  Answer(exit, 0x12345678);
  const CpuState state = End();
  EXPECT_EQ(state.rax, 0x12345678u);
  ExpectOthersInverted(state);
}

TEST_P(RegisterPortsTest, R7_R8_AWordAndAByteLeaveTheRestOfRax) {
  Begin(Word(0xed));
  Answer(NextAs<IoExit>(), 0xabcd);
  CpuState state = End();
  EXPECT_EQ(state.rax, Start(0x564dabcd));
  ExpectOthersInverted(state);

  Begin({0xec});
  Answer(NextAs<IoExit>(), 0xef);
  state = End();
  EXPECT_EQ(state.rax, Start(0x564d58ef));
  ExpectOthersInverted(state);
}

TEST_P(RegisterPortsTest, R7_AnOutChangesTheOthersAndLeavesRax) {
  Begin(Wide(0xef));
  const IoExit exit = NextAs<IoExit>();
  ASSERT_NE(exit.registers, nullptr);
  EXPECT_TRUE(exit.is_write);
  exit.registers->rbx = Start(7);
  const CpuState state = End();
  EXPECT_EQ(state.rax, Start(0x564d5868));
  EXPECT_EQ(state.rbx, Start(7));
  EXPECT_EQ(state.rcx, Start(0x2222000a));
}

TEST_P(RegisterPortsTest, AnAnswerInTheDataAloneIsTakenAtAnyOtherPort) {
  Begin({0xe4, 0x60});  // in al, 0x60
  const IoExit exit = NextAs<IoExit>();
  EXPECT_EQ(exit.registers, nullptr);
  exit.data[0] = 0x5a;
  EXPECT_EQ(End().rax, Start(0x564d585a));
}

TEST_P(RegisterPortsTest, R9_AStringInstructionHasNoRegisters) {
  Bytes code = {0xf3, 0x6c};  // rep insb
  Begin(code);
  CpuState state = *vcpu().ReadState();
  state.rdx = kPort;
  state.rcx = 3;
  state.rdi = 0x6000;
  ASSERT_TRUE(vcpu().WriteState(state).ok());
  for (;;) {
    const IoExit exit = NextAs<IoExit>();
    if (exit.port == kEnd) break;
    ASSERT_EQ(exit.port, kPort);
    // KVM may hand out one element at a time. Such an exit looks like an IN.
    if (exit.data.size() > 1) {
      EXPECT_EQ(exit.registers, nullptr);
    }
    std::fill(exit.data.begin(), exit.data.end(), uint8_t{0xff});
  }
  EXPECT_EQ((*memory_->ReadObject<std::array<uint8_t, 4>>(GuestAddr{0x6000})),
            (std::array<uint8_t, 4>{0xff, 0xff, 0xff, 0}));
}

TEST_P(RegisterPortsTest, V12_OnceTheInIsCompletedTheRegistersAreThoseBehindIt) {
  Begin(Wide(0xed));
  Answer(NextAs<IoExit>(), 0x12345678);
  vcpu().Kick();
  ASSERT_TRUE(vcpu().CompletePendingIo().ok());
  const CpuState state = *vcpu().ReadState();
  EXPECT_EQ(state.rip, kCode.value + Wide(0xed).size()) << "a restored guest would make the IN again";
  EXPECT_EQ(state.rax, 0x12345678u);
  ExpectOthersInverted(state);
  vcpu().Unkick();
  EXPECT_EQ(End().rax, 0x12345678u);
}

INSTANTIATE_TEST_SUITE_P(EveryMode, RegisterPortsTest,
                         testing::Combine(testing::Values(Mode::kReal, Mode::kProtected, Mode::kCompatibility,
                                                          Mode::kLong),
                                          testing::Bool()),
                         [](const testing::TestParamInfo<std::tuple<Mode, bool>>& info) {
                           return std::string(kModeNames[static_cast<size_t>(std::get<0>(info.param))]) +
                                  (std::get<1>(info.param) ? "ByRunPage" : "ByIoctl");
                         });

using RegisterPortsOffTest = TinyGuestTest;

TEST_F(RegisterPortsOffTest, WithoutThemNoExitHasRegisters) {
  CreateVm();
  StartRealMode({0xba, 0x58, 0x56,  // mov dx, 0x5658
                 0x66, 0xed});      // in eax, dx
  EXPECT_EQ(NextAs<IoExit>().registers, nullptr);
}

}  // namespace
}  // namespace vmm
