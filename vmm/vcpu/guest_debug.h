// A debugger's wishes of a vCPU, and the registers that only a debugger looks at.
#ifndef VMM_VCPU_GUEST_DEBUG_H_
#define VMM_VCPU_GUEST_DEBUG_H_

#include <array>
#include <cstdint>
#include <vector>

namespace vmm {

// One of the processor's four breakpoints (Intel SDM vol. 3, section 17.2).
struct HardwareBreak {
  enum class Kind : uint8_t { kExecute = 0, kWrite = 1, kAccess = 3 };  // as in DR7
  Kind kind = Kind::kExecute;
  uint64_t address = 0;
  uint8_t size = 1;  // 1, 2, 4 or 8; `address` is a multiple of it. 1 for kExecute

  bool operator==(const HardwareBreak&) const = default;
};
inline constexpr size_t kHardwareBreaks = 4;

struct GuestDebug {
  bool step = false;                  // stop after one instruction
  bool block_interrupts = false;      // while stepping. Ignored without `step`
  bool inject_debug = false;          // once: give the guest a #DB, because the last one was its own
  std::vector<HardwareBreak> breaks;  // at most kHardwareBreaks

  bool operator==(const GuestDebug&) const = default;
};

// The parts of a host's debug support that work, as a trial has shown. An announced capability proves nothing:
// emulated and software KVMs announce all of it.
struct DebugAbilities {
  bool step = false;
  bool execute = false;           // breakpoints of the processor
  bool watch = false;             // watchpoints of the processor
  bool block_interrupts = false;  // KVM_GUESTDBG_BLOCKIRQ
};

// x87 and SSE, as FXSAVE has them.
struct FpuState {
  std::array<std::array<uint8_t, 16>, 8> st = {};  // ST(0) first; 10 bytes each are used
  uint16_t control = 0x37f;
  uint16_t status = 0;
  uint8_t tags = 0;  // one bit for each physical register: 1 if it is not empty
  uint16_t opcode = 0;
  uint64_t instruction = 0;
  uint64_t operand = 0;
  std::array<std::array<uint8_t, 16>, 16> xmm = {};
  uint32_t mxcsr = 0x1f80;
};

}  // namespace vmm

#endif  // VMM_VCPU_GUEST_DEBUG_H_
