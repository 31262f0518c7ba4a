// gdb's numbering of a vCPU's registers, and the target description that tells gdb of it. The order and sizes are those
// of QEMU's 64-bit description, so that scripts made for QEMU find the same names: `g` has 608 bytes, in every CPU
// mode.
#ifndef VMM_GDB_REGISTERS_H_
#define VMM_GDB_REGISTERS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dump/snapshot/cpu_state.h"
#include "vmm/vcpu/guest_debug.h"

namespace vmm {

// All registers of a vCPU, as a debugger sees them.
struct GdbCpu {
  CpuState cpu;
  FpuState fpu;
};

// The XML document that gdb reads as target.xml.
const std::string& GdbTargetXml();

inline constexpr size_t kGdbRegisterBytes = 608;

// The bytes of `g`, little-endian, each register after the other.
std::vector<uint8_t> AllGdbRegisters(const GdbCpu& cpu);

// Changes all registers to `bytes`, which `g` gave with some changes. False, and nothing is changed, if they are not
// kGdbRegisterBytes.
bool SetAllGdbRegisters(std::span<const uint8_t> bytes, GdbCpu& cpu);

// One register by its number. Empty, or false, if there is no such register, or `bytes` are not of its size.
std::optional<std::vector<uint8_t>> OneGdbRegister(uint64_t number, const GdbCpu& cpu);
bool SetOneGdbRegister(uint64_t number, std::span<const uint8_t> bytes, GdbCpu& cpu);

// True if register `number` is an x87 or SSE register.
bool IsFpuRegister(uint64_t number);

}  // namespace vmm

#endif  // VMM_GDB_REGISTERS_H_
