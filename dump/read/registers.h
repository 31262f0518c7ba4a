// A vCPU's registers by name.
#ifndef DUMP_READ_REGISTERS_H_
#define DUMP_READ_REGISTERS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "dump/snapshot/cpu_state.h"

namespace vmm {

// Each 64-bit register of `cpu` with its name, in the order in which people read them: first those in a PRSTATUS note,
// then those only in QEMU's. If the CPU is a hypervisor, also "vmxon" and "vmptr", its current VMCS (all ones: none).
// On SVM, also "vmcb" while its guest runs.
std::vector<std::pair<std::string, uint64_t>> RegistersOf(const CpuState& cpu);
inline constexpr size_t kPrstatusRegisters = 18;
inline constexpr size_t kNoteRegisters = 23;  // both notes together

// The same for segments and descriptor tables. A descriptor table has only base and limit.
std::vector<std::pair<std::string, SegmentState>> SegmentsOf(const CpuState& cpu);
inline constexpr size_t kPrstatusSegments = 6;  // selectors only

// The CPU's mode: "kernel", "user", "not started", "real mode".
std::string ModeOf(const CpuState& cpu);

}  // namespace vmm

#endif  // DUMP_READ_REGISTERS_H_
