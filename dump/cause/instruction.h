// The code around an instruction, out of the guest's own memory, and the address that the instruction uses.
#ifndef DUMP_CAUSE_INSTRUCTION_H_
#define DUMP_CAUSE_INSTRUCTION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dump/cause/fault.h"

namespace vmm {

// The bounds of a listing. The code before the instruction is decoded from the function's start, if that is not
// further away than kMaxCodeBefore bytes; else it is not shown.
inline constexpr size_t kInstructionsBefore = 12;
inline constexpr size_t kInstructionsAfter = 12;
inline constexpr uint64_t kMaxCodeBefore = 16 << 10;
inline constexpr uint64_t kMaxCodeAfter = 16 * kInstructionsAfter;

struct Instruction {
  uint64_t address = 0;
  std::vector<uint8_t> bytes;      // at most 15
  std::string text;                // "mov 0x18(%rdi),%eax", as objdump prints it, AT&T syntax
  std::optional<uint64_t> target;  // of a direct call or jump
};

// A place in memory that the instruction at fault reads, writes or jumps to.
struct Operand {
  uint64_t address = 0;
  uint32_t bytes = 0;  // 0: not known
  bool reads = false;
  bool writes = false;
  std::string formula;  // "rdi+0x18", "gs:0x1f0a0"
  std::string base;     // "rdi"; empty: none
  uint64_t base_value = 0;
};

struct CodeListing {
  std::vector<Instruction> lines;  // ascending
  size_t at_fault = 0;             // index in `lines`
  std::vector<Operand> operands;   // of that instruction, explicit ones first

  // Why there are no lines, or none before the instruction. Empty: nothing is missing.
  std::string why_not;
};

// Decodes the code around the RIP of `fault`. `function_start`: of its function, if known.
CodeListing DecodeCode(const KernelMemory& memory, const Fault& fault, std::optional<uint64_t> function_start);

// The operand whose use explains the fault: the one that contains CR2, or a non-canonical one for a general protection
// fault. None for other kinds of faults, or if none fits.
std::optional<Operand> FaultingOperand(const CodeListing& listing, const Fault& fault);

}  // namespace vmm

#endif  // DUMP_CAUSE_INSTRUCTION_H_
