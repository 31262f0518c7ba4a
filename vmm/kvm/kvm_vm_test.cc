// On the host's own /dev/kvm, with guests of a few bytes.
#include "vmm/kvm/kvm_vm.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "vmm/kvm/kvm.h"

namespace vmm {
namespace {

using Bytes = std::vector<uint8_t>;
using Clock = std::chrono::steady_clock;

constexpr uint64_t kMiB = 1 << 20;
constexpr GuestAddr kCode{0x8000};
constexpr GuestAddr kApCode{0x2000};  // SIPI vector 2
constexpr uint64_t kStack = 0x7000;
constexpr uint64_t kTables = 0x10000;
constexpr uint64_t kNothing = 0xd0000000;  // no RAM and no device

SegmentState FlatSegment(uint8_t type, bool code64) {
  return {.selector = static_cast<uint16_t>(code64 ? 0x8 : 0x10),
          .limit = 0xffffffff,
          .type = type,
          .s = true,
          .present = true,
          .l = code64,
          .db = !code64,
          .g = true};
}

class KvmVmTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (access("/dev/kvm", R_OK | W_OK) != 0) GTEST_SKIP() << "/dev/kvm: " << strerror(errno);
    absl::StatusOr<Kvm> kvm = Kvm::Open();
    ASSERT_TRUE(kvm.ok()) << kvm.status();
    kvm_.emplace(*std::move(kvm));
  }

  void CreateVm(int cpus = 1) {
    const std::array<GuestRange, 1> ranges{GuestRange{GuestAddr{0}, kMiB}};
    memory_ = *GuestMemory::Create(ranges);
    absl::StatusOr<std::unique_ptr<KvmVm>> vm = KvmVm::Create(*kvm_, {.cpus = cpus}, *memory_);
    ASSERT_TRUE(vm.ok()) << vm.status();
    vm_ = *std::move(vm);
  }

  Vcpu& vcpu() { return vm_->vcpu(0); }

  void Load(GuestAddr addr, const Bytes& bytes) { ASSERT_TRUE(memory_->Write(addr, bytes).ok()); }

  // vCPU 0 at `code`, in real mode.
  void StartRealMode(const Bytes& code) {
    Load(kCode, code);
    CpuState state = *vcpu().ReadState();
    state.cs.base = 0;
    state.cs.selector = 0;
    state.rip = kCode.value;
    state.rsp = kStack;
    ASSERT_TRUE(vcpu().WriteState(state).ok());
  }

  // vCPU 0 at `code`, in long mode, with the first and the fourth GiB mapped to themselves.
  void StartLongMode(const Bytes& code) {
    Load(kCode, code);
    const absl::Status status = vcpu().WriteState(LongModeState());
    ASSERT_TRUE(status.ok()) << status;
  }

  CpuState LongModeState() {
    const auto set = [this](uint64_t addr, uint64_t entry) {
      ASSERT_TRUE(memory_->WriteObject(GuestAddr{addr}, entry).ok());
    };
    constexpr uint64_t kPresentWritable = 3, kLargePage = 0x80;
    set(kTables, (kTables + 0x1000) | kPresentWritable);
    set(kTables + 0x1000, (kTables + 0x2000) | kPresentWritable);
    set(kTables + 0x1000 + 3 * 8, (kTables + 0x3000) | kPresentWritable);
    for (uint64_t i = 0; i < 512; ++i) {
      set(kTables + 0x2000 + i * 8, i * 2 * kMiB | kPresentWritable | kLargePage);
      set(kTables + 0x3000 + i * 8, (3072 + i * 2) * kMiB | kPresentWritable | kLargePage);
    }
    CpuState state = *vcpu().ReadState();
    state.cs = FlatSegment(0xb, true);
    state.ds = state.es = state.fs = state.gs = state.ss = FlatSegment(3, false);
    state.cr0 = 0x80050033;  // PG, AM, WP, NE, ET, MP, PE
    state.cr3 = kTables;
    state.cr4 = 0x20;    // PAE
    state.efer = 0x500;  // LMA, LME
    state.idt = {};      // no handler: a fault is a triple fault
    state.rip = kCode.value;
    state.rsp = kStack;
    return state;
  }

  // The next exit of vCPU 0 that is no interruption.
  VcpuExit Next() {
    for (;;) {
      absl::StatusOr<VcpuExit> exit = vcpu().Run();
      EXPECT_TRUE(exit.ok()) << exit.status();
      if (!exit.ok()) return UnhandledExit{};
      if (!std::holds_alternative<InterruptedExit>(*exit)) return *exit;
    }
  }

  // The next exit, which must be of this kind.
  template <typename T>
  T NextAs() {
    const VcpuExit exit = Next();
    EXPECT_TRUE(std::holds_alternative<T>(exit)) << "exit of kind " << exit.index();
    return std::holds_alternative<T>(exit) ? std::get<T>(exit) : T{};
  }

  std::optional<Kvm> kvm_;
  std::unique_ptr<GuestMemory> memory_;
  std::unique_ptr<KvmVm> vm_;
};

TEST_F(KvmVmTest, AnOutIsSeenWithItsPortWidthAndData) {
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

TEST_F(KvmVmTest, OnceTheIoIsCompletedTheRegistersAreThoseBehindTheOut) {
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

TEST_F(KvmVmTest, AnInTakesItsAnswerAtTheNextRunOrAtTheCompletion) {
  CreateVm();
  StartRealMode({0xe4, 0x60,    // in al, 0x60
                 0xe6, 0xe9,    // out 0xe9, al
                 0xe4, 0x60});  // in al, 0x60
  const IoExit first = NextAs<IoExit>();
  EXPECT_FALSE(first.is_write);
  first.data[0] = 0x5a;
  EXPECT_EQ(NextAs<IoExit>().data[0], 0x5a);
  NextAs<IoExit>().data[0] = 0xa5;
  vcpu().Kick();  // completing is no run, and is not called off
  ASSERT_TRUE(vcpu().CompletePendingIo().ok());
  EXPECT_EQ(vcpu().ReadState()->rax & 0xff, 0xa5u);
  EXPECT_TRUE(std::holds_alternative<InterruptedExit>(*vcpu().Run())) << "the kick outlives the completion";
}

TEST_F(KvmVmTest, AStringIsSeenAndFilledElementByElement) {
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

TEST_F(KvmVmTest, AnAccessToNothingIsMmio) {
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

TEST_F(KvmVmTest, TheSecondAccessOfAnInstructionIsKeptForTheNextRun) {
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

TEST_F(KvmVmTest, ATripleFaultIsAShutdown) {
  CreateVm();
  StartLongMode({0x0f, 0x0b});  // ud2, and no IDT
  NextAs<ShutdownExit>();
}

TEST_F(KvmVmTest, AnInstructionThatKvmCannotEmulateIsAnInternalErrorWithItsBytes) {
  CreateVm();
  StartLongMode({0xf0, 0x48, 0x0f, 0xc7, 0x0c, 0x24,  // lock cmpxchg16b [rsp]
                 0xe6, 0xf4});                        // out 0xf4, al
  const VcpuExit exit = Next();
  if (std::holds_alternative<IoExit>(exit)) GTEST_SKIP() << "this host runs lock cmpxchg16b natively";
  ASSERT_TRUE(std::holds_alternative<InternalErrorExit>(exit)) << "exit of kind " << exit.index();
  const auto& error = std::get<InternalErrorExit>(exit);
  EXPECT_EQ(error.suberror, 1u);
  ASSERT_GE(error.instruction.size(), 6u);
  EXPECT_EQ(Bytes(error.instruction.begin(), error.instruction.begin() + 6),
            (Bytes{0xf0, 0x48, 0x0f, 0xc7, 0x0c, 0x24}));
  ASSERT_TRUE(vcpu().CompletePendingIo().ok());
  EXPECT_EQ(vcpu().ReadState()->rip, kCode.value);
}

// Kicks vCPU 0 once its thread has had time to be inside KVM_RUN.
void ExpectAKickStops(Vcpu& vcpu) {
  std::atomic<bool> stopped = false;
  std::thread thread([&] {
    const absl::StatusOr<VcpuExit> exit = vcpu.Run();
    EXPECT_TRUE(exit.ok() && std::holds_alternative<InterruptedExit>(*exit));
    stopped = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(stopped);
  const Clock::time_point kicked = Clock::now();
  vcpu.Kick();
  thread.join();
  EXPECT_LT(Clock::now() - kicked, std::chrono::seconds(1));
}

TEST_F(KvmVmTest, AKickStopsAHaltedVcpu) {
  CreateVm();
  StartRealMode({0xf4});  // hlt
  ExpectAKickStops(vcpu());
}

TEST_F(KvmVmTest, AKickStopsASpinningVcpu) {
  CreateVm();
  StartRealMode({0xeb, 0xfe});  // jmp $
  ExpectAKickStops(vcpu());
}

TEST_F(KvmVmTest, AKickStopsAVcpuThatWaitsForItsSipi) {
  CreateVm(2);
  ExpectAKickStops(vm_->vcpu(1));
}

TEST_F(KvmVmTest, AKickBeforeTheFirstRunCountsUntilItIsTakenBack) {
  CreateVm();
  StartRealMode({0xe6, 0xe9});  // out 0xe9, al
  vcpu().Kick();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(std::holds_alternative<InterruptedExit>(*vcpu().Run()));
  EXPECT_EQ(vcpu().ReadState()->rip, kCode.value);
  vcpu().Unkick();
  EXPECT_EQ(NextAs<IoExit>().port, 0xe9);
}

TEST_F(KvmVmTest, NoKickIsLostWhereverItHitsTheVcpu) {
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
        if (!vcpu().CompletePendingIo().ok()) return;  // takes immediate_exit back, but no kick
        continue;
      }
      if (asked == seen + 1) {
        vcpu().Unkick();
        ++seen;
      }
    }
  });
  const Clock::time_point deadline = Clock::now() + std::chrono::seconds(30);
  for (int round = 1; round <= kRounds && Clock::now() < deadline; ++round) {
    asked = round;
    vcpu().Kick();
    while (seen != round && Clock::now() < deadline) std::this_thread::yield();
  }
  EXPECT_EQ(seen, kRounds);
  if (seen != kRounds) vcpu().Kick(), seen = kRounds;
  thread.join();
}

TEST_F(KvmVmTest, ASecondVcpuWaitsForItsSipiAndKnowsItsNumber) {
  CreateVm(2);
  StartLongMode({0xbb, 0x00, 0x00, 0xe0, 0xfe,                                // mov ebx, 0xfee00000
                 0xc7, 0x83, 0x10, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,  // ICR high: APIC id 1
                 0xc7, 0x83, 0x00, 0x03, 0x00, 0x00, 0x00, 0x45, 0x00, 0x00,  // ICR low: INIT
                 0xc7, 0x83, 0x00, 0x03, 0x00, 0x00, 0x02, 0x46, 0x00, 0x00,  // ICR low: SIPI, vector 2
                 0xe6, 0xe9,                                                  // out 0xe9, al
                 0xf4});                                                      // hlt
  Load(kApCode, {0x66, 0xb8, 0x0b, 0x00, 0x00, 0x00,                          // mov eax, 0xb
                 0x66, 0x31, 0xc9,                                            // xor ecx, ecx
                 0x0f, 0xa2,                                                  // cpuid
                 0x66, 0x89, 0xd0,                                            // mov eax, edx
                 0x66, 0xe7, 0xf4});                                          // out 0xf4, eax
  Vcpu& second = vm_->vcpu(1);
  EXPECT_FALSE(second.ReadState()->started);
  EXPECT_TRUE(vcpu().ReadState()->started);

  std::atomic<bool> stopped = false;
  std::thread thread([&] {
    const absl::StatusOr<VcpuExit> exit = second.Run();
    stopped = true;
    ASSERT_TRUE(exit.ok()) << exit.status();
    ASSERT_TRUE(std::holds_alternative<IoExit>(*exit)) << "exit of kind " << exit->index();
    const auto& io = std::get<IoExit>(*exit);
    EXPECT_EQ(io.port, 0xf4);
    EXPECT_EQ(Bytes(io.data.begin(), io.data.end()), (Bytes{1, 0, 0, 0})) << "x2APIC id of CPUID leaf 0xb";
    EXPECT_TRUE(second.CompletePendingIo().ok());
    const CpuState state = *second.ReadState();
    EXPECT_TRUE(state.started);
    EXPECT_EQ(state.cs.base, kApCode.value);
  });
  EXPECT_EQ(NextAs<IoExit>().port, 0xe9);
  const Clock::time_point deadline = Clock::now() + std::chrono::seconds(10);
  while (!stopped && Clock::now() < deadline) std::this_thread::yield();
  if (!stopped) second.Kick();
  thread.join();
}

TEST_F(KvmVmTest, AnInterruptLineWakesAHaltedGuest) {
  CreateVm();
  StartRealMode({0xb0, 0x11, 0xe6, 0x20,  // 8259: ICW1
                 0xb0, 0x20, 0xe6, 0x21,  // ICW2: vectors from 0x20
                 0xb0, 0x04, 0xe6, 0x21,  // ICW3: the second one on input 2
                 0xb0, 0x01, 0xe6, 0x21,  // ICW4
                 0xb0, 0xef, 0xe6, 0x21,  // all but input 4 masked
                 0xfb, 0xf4});            // sti; hlt
  Load(GuestAddr{0x24 * 4}, {0x00, 0x90, 0x00, 0x00});
  Load(GuestAddr{0x9000}, {0xe6, 0xe9});  // out 0xe9, al
  std::thread thread([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    for (const bool level : {false, true, true, false, false}) vm_->irq_line(4).Set(level);
  });
  EXPECT_EQ(NextAs<IoExit>().port, 0xe9);
  thread.join();
}

TEST_F(KvmVmTest, AnNmiReachesAHaltedAndASpinningVcpu) {
  for (const Bytes& code : {Bytes{0xf4, 0xeb, 0xfd}, Bytes{0xeb, 0xfe}}) {  // hlt in a loop; jmp $
    CreateVm();
    StartRealMode(code);
    Load(GuestAddr{2 * 4}, {0x00, 0x90, 0x00, 0x00});
    Load(GuestAddr{0x9000}, {0xe6, 0xe9});  // out 0xe9, al
    std::thread thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      const absl::Status status = vm_->InjectNmi(0);
      EXPECT_TRUE(status.ok()) << status;
    });
    EXPECT_EQ(NextAs<IoExit>().port, 0xe9);
    thread.join();
  }
  EXPECT_FALSE(vm_->InjectNmi(1).ok());
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

TEST_F(KvmVmTest, AStateThatIsWrittenIsReadBack) {
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

TEST_F(KvmVmTest, AnApicBaseOfZeroIsLeftAsItIs) {
  CreateVm();
  CpuState state = *vcpu().ReadState();
  EXPECT_EQ(state.apic_base, 0xfee00900u);  // enabled, bootstrap processor
  state.apic_base = 0;
  ASSERT_TRUE(vcpu().WriteState(state).ok());
  EXPECT_EQ(vcpu().ReadState()->apic_base, 0xfee00900u);
}

TEST_F(KvmVmTest, AStateThatNoProcessorCanBeInIsRefusedWithItsModes) {
  CreateVm();
  CpuState state = LongModeState();
  state.cr4 = 0;  // long mode without PAE
  const absl::Status status = vcpu().WriteState(state);
  EXPECT_EQ(status.message(), "vCPU 0: KVM_SET_SREGS (cr0 0x80050033, cr4 0, efer 0x500): Invalid argument");
}

TEST_F(KvmVmTest, AnImpossibleNumberOfVcpusIsRefusedWithTheLimit) {
  const std::array<GuestRange, 1> ranges{GuestRange{GuestAddr{0}, kMiB}};
  memory_ = *GuestMemory::Create(ranges);
  for (const int cpus : {-1, 0, 256, 1 << 30}) {
    const absl::Status status = KvmVm::Create(*kvm_, {.cpus = cpus}, *memory_).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find(std::to_string(cpus) + " vCPUs: this host's KVM runs 1 to "), std::string::npos)
        << status;
  }
}

TEST_F(KvmVmTest, A255VcpuMachineIsBuiltAndItsLastVcpuHasId254) {
  if (kvm_->max_vcpus() < kMaxCpus) GTEST_SKIP() << "KVM_CAP_MAX_VCPUS is " << kvm_->max_vcpus();
  CreateVm(kMaxCpus);
  EXPECT_EQ(vm_->cpus(), 255);
  EXPECT_EQ(vm_->vcpus().back()->id(), 254);
  EXPECT_FALSE(vm_->vcpu(254).ReadState()->started);
}

TEST_F(KvmVmTest, AFeatureThatTheHostLacksIsNamed) {
  const std::array<GuestRange, 1> ranges{GuestRange{GuestAddr{0}, kMiB}};
  memory_ = *GuestMemory::Create(ranges);
  // No processor has both.
  const bool has_svm = HasCpuidBit(kvm_->supported_cpuid(), {0x80000001, 0, CpuidRegister::kEcx, 2});
  const std::string lacked = has_svm ? "+vmx" : "+svm";
  const absl::Status status = KvmVm::Create(*kvm_, {.features = *ParseCpuFeatures(lacked)}, *memory_).status();
  EXPECT_EQ(status.message(), "CPU features: " + lacked + ": this host's processor or KVM does not have it");
}

TEST_F(KvmVmTest, WithoutLa57TheVmSaysSo) {
  const std::array<GuestRange, 1> ranges{GuestRange{GuestAddr{0}, kMiB}};
  memory_ = *GuestMemory::Create(ranges);
  EXPECT_EQ((*KvmVm::Create(*kvm_, {}, *memory_))->guest_has_la57(), kvm_->HasLa57());
  EXPECT_FALSE((*KvmVm::Create(*kvm_, {.features = *ParseCpuFeatures("-la57")}, *memory_))->guest_has_la57());
}

// Not a benchmark, but a net for RAM that is touched on the way. A KVM without EPT or NPT has a
// word for each page, which costs a little.
TEST_F(KvmVmTest, CreationDoesNotTouchTheRam) {
  const auto fastest = [this](uint64_t size) {
    const std::array<GuestRange, 1> ranges{GuestRange{GuestAddr{0}, size}};
    Clock::duration best = Clock::duration::max();
    for (int i = 0; i < 5; ++i) {
      const Clock::time_point begin = Clock::now();
      memory_ = *GuestMemory::Create(ranges);
      EXPECT_TRUE(KvmVm::Create(*kvm_, {}, *memory_).ok());
      best = std::min(best, Clock::now() - begin);
      EXPECT_TRUE(memory_->DataExtents()->empty());
    }
    return best;
  };
  const Clock::duration small = fastest(kMiB);
  EXPECT_LT(fastest(2048 * kMiB), small * 5 + std::chrono::milliseconds(50));
}

TEST(KvmTest, AFileThatIsNotThereIsAnErrorWithAdvice) {
  const absl::Status status = Kvm::Open("/no/such/kvm").status();
  EXPECT_EQ(status.message(),
            "open /no/such/kvm: No such file or directory; is kvm_intel or kvm_amd loaded, and virtualization "
            "switched on in the firmware?");
}

TEST(KvmTest, AFileThatIsNotKvmIsAnErrorThatSaysSo) {
  const absl::Status status = Kvm::Open("/dev/null").status();
  EXPECT_EQ(status.message(), "/dev/null is not KVM: KVM_GET_API_VERSION: Inappropriate ioctl for device");
}

}  // namespace
}  // namespace vmm
