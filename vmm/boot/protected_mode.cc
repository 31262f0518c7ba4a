#include "vmm/boot/protected_mode.h"

#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

// Intel SDM vol. 3: 2.5 (control registers), 3.4.5.1 and 3.5 (types of descriptors).
constexpr uint64_t kCr0Pe = 1 << 0;
constexpr uint64_t kCr0Et = 1 << 4;
constexpr uint64_t kApicBaseEnabledBsp = kLapicBase | 1 << 11 | 1 << 8;
constexpr uint8_t kCodeExecuteRead = 0xb;  // accessed
constexpr uint8_t kDataReadWrite = 0x3;    // accessed
constexpr uint8_t kBusyTss = 0xb;          // 32-bit

SegmentState FlatSegment(uint16_t selector, uint8_t type) {
  return {.selector = selector, .limit = 0xffffffff, .type = type, .s = true, .present = true, .db = true, .g = true};
}

}  // namespace

CpuState ProtectedModeEntry(uint32_t entry, GuestAddr gdt) {
  CpuState state;
  state.rip = entry;
  state.rsp = kEbda.value;  // a kernel sets up its own stack
  state.cs = FlatSegment(kFlatCs, kCodeExecuteRead);
  state.ds = state.es = state.ss = state.fs = state.gs = FlatSegment(kFlatDs, kDataReadWrite);
  state.ldt = {.unusable = true};
  state.tr = {.limit = 0xffff, .type = kBusyTss, .present = true};  // VM entry requires one (SDM vol. 3, 27.3.1.2)
  state.gdt = {.base = gdt.value, .limit = sizeof(kFlatGdt) - 1};
  state.cr0 = kCr0Pe | kCr0Et;
  state.apic_base = kApicBaseEnabledBsp;
  return state;
}

}  // namespace vmm
