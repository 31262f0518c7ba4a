#include "dump/cause/instruction.h"

#include <capstone/capstone.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr size_t kMaxInstructionBytes = 15;  // SDM vol. 2, section 2.3.11
constexpr uint64_t kWord = 8;

// A decoder for 64-bit code, AT&T syntax, with details. Null if libcapstone has no x86.
class Decoder {
 public:
  static std::unique_ptr<Decoder> Open() {
    std::unique_ptr<Decoder> decoder(new Decoder);
    if (cs_open(CS_ARCH_X86, CS_MODE_64, &decoder->handle_) != CS_ERR_OK) return nullptr;
    decoder->open_ = true;
    cs_option(decoder->handle_, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
    cs_option(decoder->handle_, CS_OPT_DETAIL, CS_OPT_ON);
    decoder->instruction_ = cs_malloc(decoder->handle_);
    return decoder->instruction_ != nullptr ? std::move(decoder) : nullptr;
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() {
    if (instruction_ != nullptr) cs_free(instruction_, 1);
    if (open_) cs_close(&handle_);
  }

  // Decodes one instruction of `bytes`, which lie at `address`. Null if they are none. Valid until the next call.
  const cs_insn* Next(std::span<const uint8_t> bytes, uint64_t address) {
    const uint8_t* code = bytes.data();
    size_t size = bytes.size();
    return cs_disasm_iter(handle_, &code, &size, &address, instruction_) ? instruction_ : nullptr;
  }

  bool IsIn(const cs_insn& instruction, uint8_t group) const { return cs_insn_group(handle_, &instruction, group); }

 private:
  Decoder() = default;

  csh handle_ = 0;
  bool open_ = false;
  cs_insn* instruction_ = nullptr;
};

Instruction Described(const Decoder& decoder, const cs_insn& from) {
  Instruction to;
  to.address = from.address;
  to.bytes.assign(from.bytes, from.bytes + from.size);
  to.text = from.mnemonic;
  if (from.op_str[0] != '\0') to.text += std::string(" ") + from.op_str;
  const cs_x86& x86 = from.detail->x86;
  const bool branches = decoder.IsIn(from, CS_GRP_JUMP) || decoder.IsIn(from, CS_GRP_CALL);
  if (branches && x86.op_count == 1 && x86.operands[0].type == X86_OP_IMM) {
    to.target = static_cast<uint64_t>(x86.operands[0].imm);
  }
  return to;
}

std::optional<uint64_t> RegisterValue(x86_reg reg, const PtRegs& r) {
  switch (reg) {
    case X86_REG_RAX: return r.ax;
    case X86_REG_RBX: return r.bx;
    case X86_REG_RCX: return r.cx;
    case X86_REG_RDX: return r.dx;
    case X86_REG_RSI: return r.si;
    case X86_REG_RDI: return r.di;
    case X86_REG_RBP: return r.bp;
    case X86_REG_RSP: return r.sp;
    case X86_REG_R8: return r.r8;
    case X86_REG_R9: return r.r9;
    case X86_REG_R10: return r.r10;
    case X86_REG_R11: return r.r11;
    case X86_REG_R12: return r.r12;
    case X86_REG_R13: return r.r13;
    case X86_REG_R14: return r.r14;
    case X86_REG_R15: return r.r15;
    default: return std::nullopt;
  }
}

std::string_view RegisterName(x86_reg reg) {
  constexpr std::pair<x86_reg, std::string_view> kNames[] = {
      {X86_REG_RAX, "rax"}, {X86_REG_RBX, "rbx"}, {X86_REG_RCX, "rcx"}, {X86_REG_RDX, "rdx"},
      {X86_REG_RSI, "rsi"}, {X86_REG_RDI, "rdi"}, {X86_REG_RBP, "rbp"}, {X86_REG_RSP, "rsp"},
      {X86_REG_R8, "r8"},   {X86_REG_R9, "r9"},   {X86_REG_R10, "r10"}, {X86_REG_R11, "r11"},
      {X86_REG_R12, "r12"}, {X86_REG_R13, "r13"}, {X86_REG_R14, "r14"}, {X86_REG_R15, "r15"},
  };
  for (const auto& [number, name] : kNames) {
    if (number == reg) return name;
  }
  return "";
}

std::string Offset(int64_t offset) {
  if (offset == 0) return "";
  return offset < 0 ? absl::StrFormat("-%#x", -static_cast<uint64_t>(offset)) : absl::StrFormat("+%#x", offset);
}

std::optional<Operand> MemoryOperand(const cs_insn& instruction, const cs_x86_op& from, const Fault& fault) {
  const x86_op_mem& memory = from.mem;
  Operand to;
  to.bytes = from.size;
  to.reads = (from.access & CS_AC_READ) != 0;
  to.writes = (from.access & CS_AC_WRITE) != 0;
  to.address = static_cast<uint64_t>(memory.disp);
  if (memory.segment == X86_REG_GS) {
    to.address += fault.gs_base;
    to.formula = "gs:";
  } else if (memory.segment == X86_REG_FS) {
    return std::nullopt;  // the kernel itself never uses it
  }
  if (memory.base == X86_REG_RIP) {
    to.address += instruction.address + instruction.size;
    to.formula += absl::StrFormat("%#x", to.address);
    return to;
  }
  const auto base = static_cast<x86_reg>(memory.base), index = static_cast<x86_reg>(memory.index);
  if (base != X86_REG_INVALID) {
    const std::optional<uint64_t> value = RegisterValue(base, fault.registers);
    if (!value.has_value()) return std::nullopt;
    to.address += *value;
    to.base = RegisterName(base);
    to.base_value = *value;
    to.formula += to.base;
  }
  if (index != X86_REG_INVALID && index != X86_REG_RIZ) {
    const std::optional<uint64_t> value = RegisterValue(index, fault.registers);
    if (!value.has_value()) return std::nullopt;
    to.address += *value * static_cast<uint64_t>(memory.scale);
    to.formula += absl::StrFormat("%s%s*%d", to.base.empty() ? "" : "+", RegisterName(index), memory.scale);
  }
  const bool bare = to.base.empty() && index == X86_REG_INVALID;
  to.formula += bare ? absl::StrFormat("%#x", static_cast<uint64_t>(memory.disp)) : Offset(memory.disp);
  return to;
}

// The place on the stack that CALL, PUSH, RET and POP use without naming it.
std::optional<Operand> StackOperand(const Decoder& decoder, const cs_insn& instruction, const Fault& fault) {
  const bool pushes = decoder.IsIn(instruction, CS_GRP_CALL) || instruction.id == X86_INS_PUSH;
  const bool pops = decoder.IsIn(instruction, CS_GRP_RET) || instruction.id == X86_INS_POP;
  if (!pushes && !pops) return std::nullopt;
  Operand to;
  to.address = fault.registers.sp - (pushes ? kWord : 0);
  to.bytes = kWord;
  to.reads = pops;
  to.writes = pushes;
  to.formula = pushes ? "rsp-0x8" : "rsp";
  to.base = "rsp";
  to.base_value = fault.registers.sp;
  return to;
}

std::vector<Operand> OperandsOf(const Decoder& decoder, const cs_insn& instruction, const Fault& fault) {
  std::vector<Operand> operands;
  const cs_x86& x86 = instruction.detail->x86;
  const bool uses_memory = instruction.id != X86_INS_LEA && instruction.id != X86_INS_NOP;
  for (uint8_t i = 0; uses_memory && i < x86.op_count; ++i) {
    if (x86.operands[i].type != X86_OP_MEM) continue;
    const std::optional<Operand> operand = MemoryOperand(instruction, x86.operands[i], fault);
    if (operand.has_value()) operands.push_back(*operand);
  }
  if (const auto stack = StackOperand(decoder, instruction, fault); stack.has_value()) operands.push_back(*stack);
  return operands;
}

// The instructions from `start` up to `end`, the last kInstructionsBefore of them. Empty if they do not end there.
std::vector<Instruction> DecodeBefore(Decoder& decoder, const KernelMemory& memory, uint64_t start, uint64_t end) {
  const absl::StatusOr<std::vector<uint8_t>> code = memory.ReadBytes(start, end - start);
  if (!code.ok()) return {};
  std::vector<Instruction> lines;
  for (uint64_t at = 0; at < code->size();) {
    const cs_insn* const next = decoder.Next(std::span(*code).subspan(at), start + at);
    if (next == nullptr) return {};
    at += next->size;
    if (code->size() - at <= kInstructionsBefore * kMaxInstructionBytes || at >= code->size()) {
      lines.push_back(Described(decoder, *next));
    }
  }
  if (lines.size() > kInstructionsBefore) lines.erase(lines.begin(), lines.end() - kInstructionsBefore);
  return lines;
}

// The bytes from `address` on, as many of kMaxCodeAfter as can be read.
std::vector<uint8_t> ReadCode(const KernelMemory& memory, uint64_t address) {
  absl::StatusOr<std::vector<uint8_t>> code = memory.ReadBytes(address, kMaxCodeAfter);
  if (code.ok()) return *std::move(code);
  const uint64_t in_page = kPageSize - address % kPageSize;
  code = memory.ReadBytes(address, std::min(in_page, kMaxCodeAfter));
  return code.ok() ? *std::move(code) : std::vector<uint8_t>();
}

}  // namespace

CodeListing DecodeCode(const KernelMemory& memory, const Fault& fault, std::optional<uint64_t> function_start) {
  CodeListing listing;
  const uint64_t rip = fault.registers.ip;
  const std::vector<uint8_t> code = ReadCode(memory, rip);
  if (code.empty()) {
    listing.why_not = absl::StrFormat("no memory is mapped at RIP %#x", rip);
    return listing;
  }
  const std::unique_ptr<Decoder> decoder = Decoder::Open();
  if (decoder == nullptr) {
    listing.why_not = "this libcapstone does not decode x86";
    return listing;
  }
  if (!function_start.has_value() || *function_start > rip) {
    listing.why_not = "the function's start is not known";
  } else if (rip - *function_start > kMaxCodeBefore) {
    listing.why_not = absl::StrFormat("the function's start is more than %d bytes away", kMaxCodeBefore);
  } else if (*function_start < rip) {
    listing.lines = DecodeBefore(*decoder, memory, *function_start, rip);
    if (listing.lines.empty()) listing.why_not = "the code from the function's start does not lead here";
  }
  listing.at_fault = listing.lines.size();
  for (uint64_t at = 0; at < code.size() && listing.lines.size() <= listing.at_fault + kInstructionsAfter;) {
    const cs_insn* const next = decoder->Next(std::span(code).subspan(at), rip + at);
    if (next == nullptr) break;
    if (at == 0) listing.operands = OperandsOf(*decoder, *next, fault);
    at += next->size;
    listing.lines.push_back(Described(*decoder, *next));
  }
  if (listing.lines.size() == listing.at_fault) {
    listing.why_not = absl::StrFormat("the bytes at RIP %#x are no instruction", rip);
    listing.lines.clear();
    listing.at_fault = 0;
  }
  return listing;
}

std::optional<Operand> FaultingOperand(const CodeListing& listing, const Fault& fault) {
  if (fault.cr2.has_value()) {
    for (const Operand& operand : listing.operands) {
      const uint64_t bytes = std::max<uint64_t>(operand.bytes, 1);
      if (*fault.cr2 - operand.address < bytes) return operand;
    }
    return std::nullopt;
  }
  if (fault.kind != FaultKind::kProtection) return std::nullopt;
  for (const Operand& operand : listing.operands) {
    const auto top = static_cast<int64_t>(operand.address) >> (fault.paging_levels == 5 ? 56 : 47);
    if (top != 0 && top != -1) return operand;
  }
  return std::nullopt;
}

}  // namespace vmm
