#include "dump/kernel/backtrace.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "dump/kernel/kernel_stack.h"
#include "dump/kernel/unwind_frame_pointer.h"
#include "dump/kernel/unwind_orc.h"

namespace vmm {
namespace {

constexpr size_t kMaxResumes = 64;  // the number of guesses that are followed

// A step looks the address up among the regions, then in the ORC table by a binary search.
bool PayStep(const std::vector<CodeRegion>& code, Meter& meter) { return meter.Step(code.size() + 64); }

// Adds every word from `sp` to the end of its stack that points into code.
void ScanStack(const KernelMemory& memory, const std::vector<CodeRegion>& code, uint64_t sp, Meter& meter,
               Backtrace& backtrace) {
  sp = AlignUp(sp, sizeof(uint64_t));
  for (uint64_t at = sp; at - sp < kMaxThreadSize && at >= sp;) {
    std::array<uint64_t, kPageSize / sizeof(uint64_t)> words;
    const size_t count = (kPageSize - at % kPageSize) / sizeof(uint64_t);
    if (!memory.Read(at, {reinterpret_cast<uint8_t*>(words.data()), count * sizeof(uint64_t)}).ok()) return;
    for (size_t i = 0; i < count; ++i, at += sizeof(uint64_t)) {
      if (backtrace.frames.size() >= kMaxFrames || !meter.Step(code.size())) return;
      if (FindCode(code, words[i]) != nullptr) backtrace.frames.push_back({words[i], at, false, true});
    }
  }
}

// Returns the frames from `found` on, if ORC leads from there to the stack's end.
std::optional<Backtrace> FollowGuess(const KernelMemory& memory, const std::vector<CodeRegion>& code,
                                     const StackFrame& found, uint64_t bp, Meter& meter) {
  UnwindState state;
  state.ip = found.ip, state.sp = found.at + sizeof(uint64_t), state.bp = bp;
  state.interrupted = false;
  Backtrace rest;
  rest.frames.push_back(found);
  while (rest.frames.size() < kMaxFrames && PayStep(code, meter)) {
    const UnwindStep step = StepByOrc(memory, code, state, rest);
    if (step == UnwindStep::kLost) return std::nullopt;
    if (step == UnwindStep::kFrame) continue;
    if (rest.frames.size() == 1) return std::nullopt;  // a single word proves nothing: it leads nowhere
    return rest;
  }
  return std::nullopt;
}

// A function without ORC data, like __crash_kexec(), hides its caller, but not the way on from that caller. The guesses
// begin at `first`. The innermost guess that leads to the stack's end replaces all of them.
void GoOnFromGuess(const KernelMemory& memory, const std::vector<CodeRegion>& code, uint64_t bp, size_t first,
                   Meter& meter, Backtrace& backtrace) {
  const size_t last = std::min(backtrace.frames.size(), first + kMaxResumes);
  for (size_t i = first; i < last; ++i) {
    std::optional<Backtrace> rest = FollowGuess(memory, code, backtrace.frames[i], bp, meter);
    if (!rest.has_value()) continue;
    rest->frames.resize(std::min(rest->frames.size(), kMaxFrames - first));
    backtrace.frames.resize(first);
    backtrace.frames.insert(backtrace.frames.end(), rest->frames.begin(), rest->frames.end());
    backtrace.user = rest->user;
    backtrace.end = std::move(rest->end);
    return;
  }
}

}  // namespace

Backtrace Unwind(const KernelMemory& memory, const std::vector<CodeRegion>& code, const CpuState& cpu, Meter& meter) {
  Backtrace backtrace;
  if (!cpu.started) {
    backtrace.end = "never started";
    return backtrace;
  }
  if ((cpu.cs.selector & 3) != 0) {
    backtrace.end = "user mode";
    return backtrace;
  }
  UnwindState state;
  state.ip = cpu.rip, state.sp = cpu.rsp, state.bp = cpu.rbp;
  state.registers = UnwindState::Registers{cpu.rdx, cpu.rdi, cpu.r10, cpu.r13};
  backtrace.frames.push_back({cpu.rip, 0, true, false});
  const bool has_orc = std::any_of(code.begin(), code.end(), [](const CodeRegion& r) { return r.orc.has_value(); });
  while (true) {
    if (!PayStep(code, meter)) {
      backtrace.end = std::string(meter.status().message());
      return backtrace;
    }
    const UnwindStep step =
        has_orc ? StepByOrc(memory, code, state, backtrace) : StepByFramePointer(memory, code, state, backtrace);
    if (step == UnwindStep::kEnd) return backtrace;
    if (step == UnwindStep::kLost) break;
    if (backtrace.frames.size() >= kMaxFrames) {
      backtrace.end = absl::StrFormat("more than %d frames", kMaxFrames);
      return backtrace;
    }
  }
  const size_t known = backtrace.frames.size();
  ScanStack(memory, code, state.sp, meter, backtrace);
  if (has_orc) GoOnFromGuess(memory, code, state.bp, known, meter, backtrace);
  return backtrace;
}

}  // namespace vmm
