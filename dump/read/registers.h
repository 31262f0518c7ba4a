// A vCPU's registers by name.
#ifndef DUMP_READ_REGISTERS_H_
#define DUMP_READ_REGISTERS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "dump/snapshot/cpu_state.h"

namespace vmm {

// Each 64-bit register of `cpu` with its name, in the order in which people read them: those that a PRSTATUS note has,
// then those that only QEMU's has. Of a CPU that is a hypervisor also "vmxon" and "vmptr", its current VMCS (all ones:
// none), or on SVM, where its guest runs, "vmcb".
std::vector<std::pair<std::string, uint64_t>> RegistersOf(const CpuState& cpu);
inline constexpr size_t kPrstatusRegisters = 18;
inline constexpr size_t kNoteRegisters = 23;  // both notes'

// The same for segments and descriptor tables; of the latter only base and limit count.
std::vector<std::pair<std::string, SegmentState>> SegmentsOf(const CpuState& cpu);
inline constexpr size_t kPrstatusSegments = 6;  // their selectors only

// How the CPU was running: "kernel", "user", "not started", "real mode".
std::string ModeOf(const CpuState& cpu);

}  // namespace vmm

#endif  // DUMP_READ_REGISTERS_H_
