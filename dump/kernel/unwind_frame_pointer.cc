#include "dump/kernel/unwind_frame_pointer.h"

#include "absl/strings/str_format.h"
#include "dump/kernel/kernel_stack.h"

namespace vmm {
namespace {

constexpr uint64_t kWord = sizeof(uint64_t);
constexpr uint64_t kIsRegisters = 1;  // bit of a frame pointer
constexpr uint64_t kUserMode = 3;     // bits of CS

}  // namespace

UnwindStep StepByFramePointer(const KernelMemory& memory, const std::vector<CodeRegion>& code, UnwindState& state,
                              Backtrace& backtrace) {
  const auto lost = [&](std::string_view why) {
    backtrace.end = absl::StrFormat("lost behind %#x: %s", state.ip, why);
    return UnwindStep::kLost;
  };
  if ((state.bp & kIsRegisters) != 0) {
    const auto regs = memory.ReadObject<PtRegs>(state.bp - kIsRegisters);
    if (!regs.ok()) return lost("RBP does not point to saved registers");
    if ((regs->cs & kUserMode) != 0) {
      backtrace.user = *regs;
      backtrace.end = "user mode";
      return UnwindStep::kEnd;
    }
    const uint64_t at = state.bp - kIsRegisters + offsetof(PtRegs, ip);
    if (FindCode(code, regs->ip) == nullptr) return lost("the interrupted instruction is no code");
    state = {regs->ip, regs->sp, regs->bp, true, std::nullopt};
    backtrace.frames.push_back({state.ip, at, true, false});
    return UnwindStep::kFrame;
  }
  if (state.bp == 0) {
    backtrace.end = "end of stack";
    return UnwindStep::kEnd;
  }
  const auto caller_bp = memory.ReadObject<uint64_t>(state.bp);
  const auto ip = memory.ReadObject<uint64_t>(state.bp + kWord);
  if (!caller_bp.ok() || !ip.ok()) return lost("RBP does not point to a frame");
  if (FindCode(code, *ip - 1) == nullptr) return lost("what should be a return address is no code");
  if (state.bp < state.sp && state.sp - state.bp < kThreadSize) return lost("the stack does not grow");
  backtrace.frames.push_back({*ip, state.bp + kWord, false, false});
  state = {*ip, state.bp + 2 * kWord, *caller_bp, false, std::nullopt};
  return UnwindStep::kFrame;
}

}  // namespace vmm
