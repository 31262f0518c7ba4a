#include "dump/kernel/backtrace.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_format.h"
#include "dump/kernel/unwind_frame_pointer.h"
#include "dump/kernel/unwind_orc.h"

namespace vmm {
namespace {

// THREAD_SIZE of a kernel with KASAN: no stack is longer.
constexpr uint64_t kMaxScan = 32 << 10;

// Every word from `sp` to the end of its stack that points into code.
void ScanStack(const KernelMemory& memory, const std::vector<CodeRegion>& code, uint64_t sp, Backtrace& backtrace) {
  sp = AlignUp(sp, sizeof(uint64_t));
  for (uint64_t at = sp; at - sp < kMaxScan && at >= sp;) {
    std::array<uint64_t, kPageSize / sizeof(uint64_t)> words;
    const size_t count = (kPageSize - at % kPageSize) / sizeof(uint64_t);
    if (!memory.Read(at, {reinterpret_cast<uint8_t*>(words.data()), count * sizeof(uint64_t)}).ok()) return;
    for (size_t i = 0; i < count; ++i, at += sizeof(uint64_t)) {
      if (backtrace.frames.size() >= kMaxFrames) return;
      if (FindCode(code, words[i]) != nullptr) backtrace.frames.push_back({words[i], at, false, true});
    }
  }
}

}  // namespace

Backtrace Unwind(const KernelMemory& memory, const std::vector<CodeRegion>& code, const CpuState& cpu) {
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
    const UnwindStep step =
        has_orc ? StepByOrc(memory, code, state, backtrace) : StepByFramePointer(memory, code, state, backtrace);
    if (step == UnwindStep::kEnd) return backtrace;
    if (step == UnwindStep::kLost) break;
    if (backtrace.frames.size() >= kMaxFrames) {
      backtrace.end = absl::StrFormat("more than %d frames", kMaxFrames);
      return backtrace;
    }
  }
  ScanStack(memory, code, state.sp, backtrace);
  return backtrace;
}

}  // namespace vmm
