#include "dump/kernel/unwind_orc.h"

#include "absl/strings/str_format.h"
#include "dump/kernel/kernel_stack.h"

namespace vmm {
namespace {

constexpr uint64_t kWord = sizeof(uint64_t);
constexpr uint64_t kUserMode = 3;  // bits of CS

uint64_t Extend(int16_t offset) { return static_cast<uint64_t>(int64_t{offset}); }

// The stack after a call of a bad address: the target has no ORC entry, but it was called.
constexpr OrcEntry kCalledRubbish = {kWord, 0, OrcRegister::kSp, OrcRegister::kUndefined, OrcType::kCall};

absl::StatusOr<OrcEntry> FindEntry(const KernelMemory& memory, const std::vector<CodeRegion>& code,
                                   const UnwindState& state) {
  const uint64_t ip = state.interrupted ? state.ip : state.ip - 1;
  const CodeRegion* const region = FindCode(code, ip);
  if (region == nullptr) {
    if (state.interrupted) return kCalledRubbish;
    return absl::NotFoundError(absl::StrFormat("%#x is no code", ip));
  }
  if (!region->orc.has_value()) return absl::NotFoundError(absl::StrFormat("no ORC table for %#x", ip));
  return region->orc->Lookup(memory, ip);
}

// The value of the register that an entry builds on, plus its offset. Indirect entries are read from memory.
absl::StatusOr<uint64_t> StackPointer(const KernelMemory& memory, const OrcEntry& entry, const UnwindState& state) {
  const uint64_t offset = Extend(entry.sp_offset);
  switch (entry.sp_register) {
    case OrcRegister::kSp: return state.sp + offset;
    case OrcRegister::kBp: return state.bp + offset;
    case OrcRegister::kBpIndirect: return memory.ReadObject<uint64_t>(state.bp + offset);
    case OrcRegister::kSpIndirect: {
      // Since Linux 5.12 the offset is added after the read, before 5.12 it was added before the read.
      const auto top = memory.ReadObject<uint64_t>(state.sp);
      if (top.ok() && memory.ReadObject<uint64_t>(*top + offset - kWord).ok()) return *top + offset;
      return memory.ReadObject<uint64_t>(state.sp + offset);
    }
    default: break;
  }
  if (!state.registers.has_value()) return absl::NotFoundError("a register that was not saved is needed");
  switch (entry.sp_register) {
    case OrcRegister::kDx: return state.registers->dx;
    case OrcRegister::kDi: return state.registers->di;
    case OrcRegister::kR10: return state.registers->r10;
    case OrcRegister::kR13: return state.registers->r13;
    default: return absl::NotFoundError("an ORC entry builds on no register that there is");
  }
}

// Moves `state` to the caller, and sets `at` to the address where the caller's ip was found.
absl::Status Step(const KernelMemory& memory, const OrcEntry& entry, UnwindState& state, uint64_t& at,
                  Backtrace& backtrace) {
  ASSIGN_OR_RETURN(const uint64_t sp, StackPointer(memory, entry, state));
  UnwindState caller;
  caller.bp = state.bp;
  uint64_t cs = 0;
  if (entry.type == OrcType::kCall) {
    at = sp - kWord;
    ASSIGN_OR_RETURN(caller.ip, memory.ReadObject<uint64_t>(at));
    caller.sp = sp;
    caller.interrupted = false;
  } else {
    PtRegs regs{};
    if (entry.type == OrcType::kRegs) {
      ASSIGN_OR_RETURN(regs, memory.ReadObject<PtRegs>(sp));
      at = sp + offsetof(PtRegs, ip);
      caller.bp = regs.bp;
      caller.registers = UnwindState::Registers{regs.dx, regs.di, regs.r10, regs.r13};
      if ((regs.cs & kUserMode) != 0) backtrace.user = regs;
    } else {
      constexpr size_t kSize = sizeof(PtRegs) - offsetof(PtRegs, ip);
      RETURN_IF_ERROR(memory.Read(sp, {reinterpret_cast<uint8_t*>(&regs.ip), kSize}));
      at = sp;
    }
    caller.ip = regs.ip;
    caller.sp = regs.sp;
    caller.interrupted = true;
    cs = regs.cs;
  }
  switch (entry.bp_register) {
    case OrcRegister::kPrevSp: {
      ASSIGN_OR_RETURN(caller.bp, memory.ReadObject<uint64_t>(sp + Extend(entry.bp_offset)));
      break;
    }
    case OrcRegister::kBp: {
      ASSIGN_OR_RETURN(caller.bp, memory.ReadObject<uint64_t>(state.bp + Extend(entry.bp_offset)));
      break;
    }
    default: break;
  }
  if ((cs & kUserMode) != 0) {
    backtrace.end = "user mode";
  } else if (caller.sp <= state.sp && state.sp - caller.sp < kThreadSize) {
    return absl::DataLossError("the stack does not grow");
  }
  state = caller;
  return absl::OkStatus();
}

}  // namespace

UnwindStep StepByOrc(const KernelMemory& memory, const std::vector<CodeRegion>& code, UnwindState& state,
                     Backtrace& backtrace) {
  const auto lost = [&](std::string_view why) {
    backtrace.end = absl::StrFormat("lost behind %#x: %s", state.ip, why);
    return UnwindStep::kLost;
  };
  const absl::StatusOr<OrcEntry> entry = FindEntry(memory, code, state);
  if (!entry.ok()) return lost(std::string(entry.status().message()));
  if (entry->type == OrcType::kEndOfStack) {
    backtrace.end = "end of stack";
    return UnwindStep::kEnd;
  }
  if (entry->type == OrcType::kUndefined) return lost("ORC does not know how to go on here");
  uint64_t at = 0;
  const absl::Status stepped = Step(memory, *entry, state, at, backtrace);
  if (!stepped.ok()) return lost(std::string(stepped.message()));
  if (!backtrace.end.empty()) return UnwindStep::kEnd;
  if (!state.interrupted && FindCode(code, state.ip - 1) == nullptr) {
    return lost("what should be a return address is no code");
  }
  backtrace.frames.push_back({state.ip, at, state.interrupted, false});
  return UnwindStep::kFrame;
}

}  // namespace vmm
