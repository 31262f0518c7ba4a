// A virtual machine on the host's own /dev/kvm with 1 MiB of RAM, for tests whose guests are a few bytes of code.
#ifndef VMM_KVM_TESTING_TINY_GUEST_H_
#define VMM_KVM_TESTING_TINY_GUEST_H_

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/guest_memory.h"
#include "gtest/gtest.h"
#include "vmm/kvm/kvm.h"
#include "vmm/kvm/kvm_vm.h"
#include "vmm/vcpu/vcpu.h"

namespace vmm {

using Bytes = std::vector<uint8_t>;

inline constexpr uint64_t kMiB = 1 << 20;
inline constexpr GuestAddr kCode{0x8000};
inline constexpr GuestAddr kApCode{0x2000};  // SIPI vector 2
inline constexpr uint64_t kStack = 0x7000;
inline constexpr uint64_t kTables = 0x10000;
inline constexpr uint64_t kNothing = 0xd0000000;  // no RAM and no device

inline SegmentState FlatSegment(uint8_t type, bool code64) {
  return {.selector = static_cast<uint16_t>(code64 ? 0x8 : 0x10),
          .limit = 0xffffffff,
          .type = type,
          .s = true,
          .present = true,
          .l = code64,
          .db = !code64,
          .g = true};
}

class TinyGuestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (access("/dev/kvm", R_OK | W_OK) != 0) GTEST_SKIP() << "/dev/kvm: " << strerror(errno);
    absl::StatusOr<Kvm> kvm = Kvm::Open();
    ASSERT_TRUE(kvm.ok()) << kvm.status();
    kvm_.emplace(*std::move(kvm));
  }

  void CreateVm(int cpus = 1) { CreateVm(KvmVmConfig{.cpus = cpus}); }

  void CreateVm(const KvmVmConfig& config) {
    const std::array<GuestRange, 1> ranges{GuestRange{GuestAddr{0}, kMiB}};
    memory_ = *GuestMemory::Create(ranges);
    absl::StatusOr<std::unique_ptr<KvmVm>> vm = KvmVm::Create(*kvm_, config, *memory_);
    ASSERT_TRUE(vm.ok()) << vm.status();
    vm_ = *std::move(vm);
  }

  Vcpu& vcpu() { return vm_->vcpu(0); }

  void Load(GuestAddr addr, const Bytes& bytes) { ASSERT_TRUE(memory_->Write(addr, bytes).ok()); }

  // Puts vCPU 0 at `code`, in real mode.
  void StartRealMode(const Bytes& code) {
    Load(kCode, code);
    CpuState state = *vcpu().ReadState();
    state.cs.base = 0;
    state.cs.selector = 0;
    state.rip = kCode.value;
    state.rsp = kStack;
    ASSERT_TRUE(vcpu().WriteState(state).ok());
  }

  // Puts vCPU 0 at `code`, in long mode, with the first and the fourth GiB identity-mapped.
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

  // Runs vCPU 0 to its next exit that is not an interruption.
  VcpuExit Next() {
    for (;;) {
      absl::StatusOr<VcpuExit> exit = vcpu().Run();
      EXPECT_TRUE(exit.ok()) << exit.status();
      if (!exit.ok()) return UnhandledExit{};
      if (!std::holds_alternative<InterruptedExit>(*exit)) return *exit;
    }
  }

  // The same for an exit that must be of this kind.
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

}  // namespace vmm

#endif  // VMM_KVM_TESTING_TINY_GUEST_H_
