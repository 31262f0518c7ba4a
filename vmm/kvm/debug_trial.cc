#include "vmm/kvm/debug_trial.h"

#include <linux/kvm.h>

#include <array>
#include <memory>
#include <span>
#include <variant>

#include "base/guest_memory.h"
#include "base/status.h"
#include "vmm/kvm/guest_debug_ioctl.h"
#include "vmm/kvm/kvm_ioctl.h"
#include "vmm/kvm/kvm_vm.h"

namespace vmm {
namespace {

constexpr uint64_t kCode = 0x8000, kData = 0x9000, kTables = 0x10000, kStack = 0x7000;
constexpr uint64_t kAfterNop = kCode + 1;
constexpr std::array<uint8_t, 13> kProgram = {
    0x90,                          // nop
    0xb8, 0x01, 0x00, 0x00, 0x00,  // mov eax, 1
    0x89, 0x03,                    // mov [rbx], eax
    0x90,                          // nop
    0xe6, 0xf4,                    // out 0xf4, al: the end of a trial that stops nowhere
    0xeb, 0xfc,                    // to the out
};

SegmentState Flat(uint8_t type, bool code) {
  return {.selector = static_cast<uint16_t>(code ? 8 : 16),
          .limit = 0xffffffff,
          .type = type,
          .s = true,
          .present = true,
          .l = code,
          .db = !code,
          .g = true};
}

absl::Status WriteProgram(GuestMemory& memory) {
  constexpr uint64_t kPresentWritable = 3, kLarge = 0x80;
  RETURN_IF_ERROR(memory.Write(GuestAddr{kCode}, kProgram));
  RETURN_IF_ERROR(memory.WriteObject(GuestAddr{kTables}, (kTables + 0x1000) | kPresentWritable));
  RETURN_IF_ERROR(memory.WriteObject(GuestAddr{kTables + 0x1000}, (kTables + 0x2000) | kPresentWritable));
  return memory.WriteObject(GuestAddr{kTables + 0x2000}, kPresentWritable | kLarge);
}

absl::Status Start(Vcpu& vcpu, const GuestDebug& debug) {
  RETURN_IF_ERROR(vcpu.CompletePendingIo());
  ASSIGN_OR_RETURN(CpuState state, vcpu.ReadState());
  state.cs = Flat(0xb, true);
  state.ds = state.es = state.fs = state.gs = state.ss = Flat(3, false);
  state.cr0 = 0x80050033;  // PG, AM, WP, NE, ET, MP, PE
  state.cr3 = kTables;
  state.cr4 = 0x20;    // PAE
  state.efer = 0x500;  // LMA, LME
  state.rip = kCode;
  state.rsp = kStack;
  state.rbx = kData;
  state.rflags = 2;
  RETURN_IF_ERROR(vcpu.WriteState(state));
  return vcpu.SetDebug(debug);
}

// True if the program's next exit is a debug exit, and its first stop is at one of `places`.
bool StopsAt(Vcpu& vcpu, const GuestDebug& debug, std::span<const uint64_t> places) {
  if (!Start(vcpu, debug).ok()) return false;
  const absl::StatusOr<VcpuExit> exit = vcpu.Run();
  const bool stopped = exit.ok() && std::holds_alternative<BreakpointExit>(*exit);
  const uint64_t pc = stopped ? std::get<BreakpointExit>(*exit).pc : 0;
  (void)vcpu.SetDebug({}).ok();
  for (const uint64_t place : places) {
    if (stopped && pc == place) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<DebugAbilities> TryDebug(const Kvm& kvm) {
  const std::array ranges = {GuestRange{GuestAddr{0}, 1 << 20}};
  ASSIGN_OR_RETURN(const std::unique_ptr<GuestMemory> memory, GuestMemory::Create(ranges));
  RETURN_IF_ERROR(WriteProgram(*memory));
  ASSIGN_OR_RETURN(const std::unique_ptr<KvmVm> vm, KvmVm::Create(kvm, {.cpus = 1}, *memory));
  Vcpu& vcpu = vm->vcpu(0);
  using Kind = HardwareBreak::Kind;
  DebugAbilities abilities;
  abilities.step = StopsAt(vcpu, {.step = true}, std::array{kAfterNop});
  abilities.execute = StopsAt(vcpu, {.breaks = {{Kind::kExecute, kAfterNop, 1}}}, std::array{kAfterNop});
  abilities.watch = StopsAt(vcpu, {.breaks = {{Kind::kWrite, kData, 4}}}, std::array{kCode + 8});
  const int flags = ioctl(kvm.fd(), KVM_CHECK_EXTENSION, KVM_CAP_SET_GUEST_DEBUG2);
  abilities.block_interrupts = flags > 0 && (static_cast<uint32_t>(flags) & kGuestDebugBlockIrq) != 0;
  return abilities;
}

}  // namespace vmm
