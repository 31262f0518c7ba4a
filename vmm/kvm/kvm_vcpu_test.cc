// Tests one vCPU: exits, pending I/O, kicks, registers.
#include <cpuid.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "vmm/kvm/testing/tiny_guest.h"
#include "vmm/vcpu/vcpu.h"

namespace vmm {
namespace {

using SteadyClock = std::chrono::steady_clock;
using KvmVcpuTest = TinyGuestTest;

TEST_F(KvmVcpuTest, AnOutIsSeenWithItsPortWidthAndData) {
  CreateVm();
  StartRealMode({0xb0, 0x42,                          // mov al, 0x42
                 0xe6, 0xe9,                          // out 0xe9, al
                 0x66, 0xb8, 0x44, 0x33, 0x22, 0x11,  // mov eax, 0x11223344
                 0xba, 0x05, 0x05,                    // mov dx, 0x505
                 0x66, 0xef});                        // out dx, eax
  const IoExit byte = NextAs<IoExit>();
  EXPECT_EQ(byte.port, 0xe9);
  EXPECT_TRUE(byte.is_write);
  EXPECT_EQ(byte.size, 1);
  EXPECT_EQ(Bytes(byte.data.begin(), byte.data.end()), (Bytes{0x42}));
  const IoExit dword = NextAs<IoExit>();
  EXPECT_EQ(dword.port, 0x505);
  EXPECT_EQ(dword.size, 4);
  EXPECT_EQ(Bytes(dword.data.begin(), dword.data.end()), (Bytes{0x44, 0x33, 0x22, 0x11}));
}

TEST_F(KvmVcpuTest, OnceTheIoIsCompletedTheRegistersAreThoseBehindTheOut) {
  CreateVm();
  StartRealMode({0xe6, 0xe9,  // out 0xe9, al
                 0xb0, 0x01,  // mov al, 1: must not have run
                 0xf4});      // hlt
  NextAs<IoExit>();
  ASSERT_TRUE(vcpu().CompletePendingIo().ok());
  const CpuState state = *vcpu().ReadState();
  EXPECT_EQ(state.rip, kCode.value + 2);
  EXPECT_EQ(state.rax & 0xff, 0u);
  ASSERT_TRUE(vcpu().CompletePendingIo().ok()) << "with nothing pending it does nothing";
  EXPECT_EQ(vcpu().ReadState()->rip, kCode.value + 2);
}

TEST_F(KvmVcpuTest, AnInTakesItsAnswerAtTheNextRunOrAtTheCompletion) {
  CreateVm();
  StartRealMode({0xe4, 0x60,    // in al, 0x60
                 0xe6, 0xe9,    // out 0xe9, al
                 0xe4, 0x60});  // in al, 0x60
  const IoExit first = NextAs<IoExit>();
  EXPECT_FALSE(first.is_write);
  first.data[0] = 0x5a;
  EXPECT_EQ(NextAs<IoExit>().data[0], 0x5a);
  NextAs<IoExit>().data[0] = 0xa5;
  vcpu().Kick();  // completing is not running, so a kick does not cancel it
  ASSERT_TRUE(vcpu().CompletePendingIo().ok());
  EXPECT_EQ(vcpu().ReadState()->rax & 0xff, 0xa5u);
  EXPECT_TRUE(std::holds_alternative<InterruptedExit>(*vcpu().Run())) << "the kick outlives the completion";
}

TEST_F(KvmVcpuTest, AStringIsSeenAndFilledElementByElement) {
  CreateVm();
  StartRealMode({0xbe, 0x00, 0x60,  // mov si, 0x6000
                 0xbf, 0x00, 0x61,  // mov di, 0x6100
                 0xba, 0xe9, 0x00,  // mov dx, 0xe9
                 0xb9, 0x05, 0x00,  // mov cx, 5
                 0xf3, 0x6e,        // rep outsb
                 0xb9, 0x03, 0x00,  // mov cx, 3
                 0xf3, 0x6d,        // rep insw
                 0xe6, 0xf4});      // out 0xf4, al
  Load(GuestAddr{0x6000}, {'h', 'e', 'l', 'l', 'o'});
  std::string said;
  uint16_t given = 0x1100;
  for (;;) {
    const IoExit exit = NextAs<IoExit>();
    if (exit.port != 0xe9) break;
    if (exit.is_write) {
      said.append(exit.data.begin(), exit.data.end());
      continue;
    }
    ASSERT_EQ(exit.size, 2);
    for (size_t at = 0; at < exit.data.size(); at += 2, ++given) std::memcpy(&exit.data[at], &given, 2);
  }
  EXPECT_EQ(said, "hello");
  EXPECT_EQ((*memory_->ReadObject<std::array<uint16_t, 4>>(GuestAddr{0x6100})),
            (std::array<uint16_t, 4>{0x1100, 0x1101, 0x1102, 0}));
}

TEST_F(KvmVcpuTest, AnAccessToNothingIsMmio) {
  CreateVm();
  StartLongMode({0xbb, 0x00, 0x00, 0x00, 0xd0,  // mov ebx, 0xd0000000
                 0x8b, 0x43, 0x08,              // mov eax, [rbx + 8]
                 0x48, 0x89, 0x03});            // mov [rbx], rax
  const MmioExit read = NextAs<MmioExit>();
  EXPECT_EQ(read.address, kNothing + 8);
  EXPECT_FALSE(read.is_write);
  ASSERT_EQ(read.data.size(), 4u);
  std::fill(read.data.begin(), read.data.end(), 0xff);
  const MmioExit write = NextAs<MmioExit>();
  EXPECT_EQ(write.address, kNothing);
  EXPECT_TRUE(write.is_write);
  EXPECT_EQ(Bytes(write.data.begin(), write.data.end()), (Bytes{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}));
}

TEST_F(KvmVcpuTest, TheSecondAccessOfAnInstructionIsKeptForTheNextRun) {
  CreateVm();
  StartLongMode({0xbb, 0x00, 0x00, 0x00, 0xd0,  // mov ebx, 0xd0000000
                 0x80, 0x03, 0x01,              // add byte [rbx], 1
                 0xf4});                        // hlt
  NextAs<MmioExit>().data[0] = 0x41;
  ASSERT_TRUE(vcpu().CompletePendingIo().ok());
  vcpu().Kick();
  EXPECT_TRUE(std::holds_alternative<InterruptedExit>(*vcpu().Run()));
  vcpu().Unkick();
  const MmioExit write = NextAs<MmioExit>();
  EXPECT_TRUE(write.is_write);
  ASSERT_EQ(write.data.size(), 1u);
  EXPECT_EQ(write.data[0], 0x42);
  ASSERT_TRUE(vcpu().CompletePendingIo().ok());
  EXPECT_EQ(vcpu().ReadState()->rip, kCode.value + 8);
}

TEST_F(KvmVcpuTest, ATripleFaultIsAShutdown) {
  CreateVm();
  StartLongMode({0x0f, 0x0b});  // ud2, and no IDT
  NextAs<ShutdownExit>();
}

// Without CMPXCHG16B, a natively running guest gets #UD.
bool ProcessorHasCmpxchg16b() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_CMPXCHG16B) != 0;
}

TEST_F(KvmVcpuTest, AnInstructionThatKvmCannotEmulateIsAnInternalErrorWithItsBytes) {
  CreateVm();
  StartLongMode({0xf0, 0x48, 0x0f, 0xc7, 0x0c, 0x24,  // lock cmpxchg16b [rsp]
                 0xe6, 0xf4});                        // out 0xf4, al
  const VcpuExit exit = Next();
  if (std::holds_alternative<IoExit>(exit)) GTEST_SKIP() << "this host runs lock cmpxchg16b natively";
  if (std::holds_alternative<ShutdownExit>(exit) && !ProcessorHasCmpxchg16b()) {
    GTEST_SKIP() << "this host's processor has no cmpxchg16b";
  }
  ASSERT_TRUE(std::holds_alternative<InternalErrorExit>(exit)) << "exit of kind " << exit.index();
  const auto& error = std::get<InternalErrorExit>(exit);
  EXPECT_EQ(error.suberror, 1u);
  ASSERT_GE(error.instruction.size(), 6u);
  EXPECT_EQ(Bytes(error.instruction.begin(), error.instruction.begin() + 6),
            (Bytes{0xf0, 0x48, 0x0f, 0xc7, 0x0c, 0x24}));
  ASSERT_TRUE(vcpu().CompletePendingIo().ok());
  EXPECT_EQ(vcpu().ReadState()->rip, kCode.value);
}

// Kicks vCPU 0 after its thread has had time to enter KVM_RUN.
void ExpectAKickStops(Vcpu& vcpu) {
  std::atomic<bool> stopped = false;
  std::thread thread([&] {
    const absl::StatusOr<VcpuExit> exit = vcpu.Run();
    EXPECT_TRUE(exit.ok() && std::holds_alternative<InterruptedExit>(*exit));
    stopped = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(stopped);
  const SteadyClock::time_point kicked = SteadyClock::now();
  vcpu.Kick();
  thread.join();
  EXPECT_LT(SteadyClock::now() - kicked, std::chrono::seconds(1));
}

TEST_F(KvmVcpuTest, AKickStopsAHaltedVcpu) {
  CreateVm();
  StartRealMode({0xf4});  // hlt
  ExpectAKickStops(vcpu());
}

TEST_F(KvmVcpuTest, AKickStopsASpinningVcpu) {
  CreateVm();
  StartRealMode({0xeb, 0xfe});  // jmp $
  ExpectAKickStops(vcpu());
}

TEST_F(KvmVcpuTest, AKickStopsAVcpuThatWaitsForItsSipi) {
  CreateVm(2);
  ExpectAKickStops(vm_->vcpu(1));
}

TEST_F(KvmVcpuTest, AKickBeforeTheFirstRunCountsUntilItIsTakenBack) {
  CreateVm();
  StartRealMode({0xe6, 0xe9});  // out 0xe9, al
  vcpu().Kick();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(std::holds_alternative<InterruptedExit>(*vcpu().Run()));
  EXPECT_EQ(vcpu().ReadState()->rip, kCode.value);
  vcpu().Unkick();
  EXPECT_EQ(NextAs<IoExit>().port, 0xe9);
}

TEST_F(KvmVcpuTest, NoKickIsLostWhereverItHitsTheVcpu) {
  CreateVm();
  StartRealMode({0xe4, 0x60,    // in al, 0x60
                 0xeb, 0xfc});  // jmp back to it
  constexpr int kRounds = 300;
  std::atomic<int> asked = 0, seen = 0;
  std::thread thread([&] {
    while (seen < kRounds) {
      const absl::StatusOr<VcpuExit> exit = vcpu().Run();
      if (!exit.ok()) return;
      if (!std::holds_alternative<InterruptedExit>(*exit)) {
        if (!vcpu().CompletePendingIo().ok()) return;  // clears immediate_exit, but loses no kick
        continue;
      }
      if (asked == seen + 1) {
        vcpu().Unkick();
        ++seen;
      }
    }
  });
  const SteadyClock::time_point deadline = SteadyClock::now() + std::chrono::seconds(30);
  for (int round = 1; round <= kRounds && SteadyClock::now() < deadline; ++round) {
    asked = round;
    vcpu().Kick();
    while (seen != round && SteadyClock::now() < deadline) std::this_thread::yield();
  }
  EXPECT_EQ(seen, kRounds);
  if (seen != kRounds) vcpu().Kick(), seen = kRounds;
  thread.join();
}

void ExpectSame(const SegmentState& got, const SegmentState& want, const char* name) {
  SCOPED_TRACE(name);
  EXPECT_EQ(got.selector, want.selector);
  EXPECT_EQ(got.limit, want.limit);
  EXPECT_EQ(got.base, want.base);
  EXPECT_EQ(got.type, want.type);
  EXPECT_EQ(got.dpl, want.dpl);
  EXPECT_EQ(got.s, want.s);
  EXPECT_EQ(got.present, want.present);
  EXPECT_EQ(got.avl, want.avl);
  EXPECT_EQ(got.l, want.l);
  EXPECT_EQ(got.db, want.db);
  EXPECT_EQ(got.g, want.g);
  EXPECT_EQ(got.unusable, want.unusable);
}

TEST_F(KvmVcpuTest, AStateThatIsWrittenIsReadBack) {
  CreateVm(2);
  CpuState state = LongModeState();
  uint64_t number = 0x1111;
  for (uint64_t CpuState::*reg :
       {&CpuState::rax, &CpuState::rbx, &CpuState::rcx, &CpuState::rdx, &CpuState::rsi, &CpuState::rdi, &CpuState::rbp,
        &CpuState::rsp, &CpuState::r8, &CpuState::r9, &CpuState::r10, &CpuState::r11, &CpuState::r12, &CpuState::r13,
        &CpuState::r14, &CpuState::r15, &CpuState::rip, &CpuState::cr2}) {
    state.*reg = 0xffff888000000000 + (number += 0x1111);
  }
  state.rflags = 0x246;
  state.kernel_gs_base = 0xffff88803e400000;
  state.cr8 = 5;
  state.fs.base = 0x7f0011223344;
  state.gs.base = 0xffffffff81000000;
  state.gs.selector = 0x33;
  state.cs.avl = true;
  state.tr = {.selector = 0x40, .limit = 0x206f, .base = 0xfffffe0000003000, .type = 0xb, .present = true};
  state.ldt = {.selector = 0x48, .limit = 0xf, .base = 0x5000, .type = 2, .present = true};
  state.gdt = {.base = 0xfffffe0000001000, .limit = 0x7f};
  state.idt = {.base = 0xfffffe0000000000, .limit = 0xfff};

  for (const bool started : {true, false}) {
    state.started = started;
    Vcpu& second = vm_->vcpu(1);
    absl::Status status = second.WriteState(state);
    ASSERT_TRUE(status.ok()) << status;
    const CpuState got = *second.ReadState();
    for (uint64_t CpuState::*reg :
         {&CpuState::rax, &CpuState::rbx, &CpuState::rcx,    &CpuState::rdx,  &CpuState::rsi,
          &CpuState::rdi, &CpuState::rbp, &CpuState::rsp,    &CpuState::r8,   &CpuState::r9,
          &CpuState::r10, &CpuState::r11, &CpuState::r12,    &CpuState::r13,  &CpuState::r14,
          &CpuState::r15, &CpuState::rip, &CpuState::rflags, &CpuState::cr0,  &CpuState::cr2,
          &CpuState::cr3, &CpuState::cr4, &CpuState::cr8,    &CpuState::efer, &CpuState::kernel_gs_base}) {
      EXPECT_EQ(got.*reg, state.*reg);
    }
    ExpectSame(got.cs, state.cs, "cs");
    ExpectSame(got.ds, state.ds, "ds");
    ExpectSame(got.es, state.es, "es");
    ExpectSame(got.fs, state.fs, "fs");
    ExpectSame(got.gs, state.gs, "gs");
    ExpectSame(got.ss, state.ss, "ss");
    ExpectSame(got.ldt, state.ldt, "ldt");
    ExpectSame(got.tr, state.tr, "tr");
    EXPECT_EQ(got.gdt.base, state.gdt.base);
    EXPECT_EQ(got.gdt.limit, state.gdt.limit);
    EXPECT_EQ(got.idt.base, state.idt.base);
    EXPECT_EQ(got.idt.limit, state.idt.limit);
    EXPECT_EQ(got.started, started);
  }
}

TEST_F(KvmVcpuTest, AnApicBaseOfZeroIsLeftAsItIs) {
  CreateVm();
  CpuState state = *vcpu().ReadState();
  EXPECT_EQ(state.apic_base, 0xfee00900u);  // enabled, bootstrap processor
  state.apic_base = 0;
  ASSERT_TRUE(vcpu().WriteState(state).ok());
  EXPECT_EQ(vcpu().ReadState()->apic_base, 0xfee00900u);
}

TEST_F(KvmVcpuTest, AStateThatNoProcessorCanBeInIsRefusedWithItsModes) {
  CreateVm();
  CpuState state = LongModeState();
  state.cr4 = 0;  // long mode without PAE
  const absl::Status status = vcpu().WriteState(state);
  EXPECT_EQ(status.message(), "vCPU 0: KVM_SET_SREGS (cr0 0x80050033, cr4 0, efer 0x500): Invalid argument");
}

}  // namespace
}  // namespace vmm
