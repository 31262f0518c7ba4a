// The input and output of an unwinder (backtrace.h).
#ifndef DUMP_KERNEL_STACK_FRAME_H_
#define DUMP_KERNEL_STACK_FRAME_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dump/abi/pt_regs_abi.h"
#include "dump/kernel/orc.h"

namespace vmm {

// A range of the kernel's or a module's code, and the table to unwind from it.
struct CodeRegion {
  uint64_t start = 0;
  uint64_t size = 0;
  std::optional<OrcTable> orc;

  bool Contains(uint64_t ip) const { return ip - start < size; }
};

// The region that contains `ip`, or null.
inline const CodeRegion* FindCode(const std::vector<CodeRegion>& code, uint64_t ip) {
  for (const CodeRegion& region : code) {
    if (region.Contains(ip)) return &region;
  }
  return nullptr;
}

struct StackFrame {
  uint64_t ip = 0;
  uint64_t at = 0;           // the stack address that held `ip`; 0 for the first frame, which comes from the registers
  bool interrupted = false;  // `ip` would have run next: no call stands before it
  bool guess = false;        // found by a scan of the stack; may be left over from another call

  // An address within the call itself, to name the caller by. A function may end with a call, so `ip` may belong to the
  // next function.
  uint64_t lookup_ip() const { return interrupted ? ip : ip - 1; }

  friend bool operator==(const StackFrame&, const StackFrame&) = default;
};

struct Backtrace {
  std::vector<StackFrame> frames;  // innermost first; at most kMaxFrames

  // User mode's registers at its entry into the kernel; none for a kernel thread.
  std::optional<PtRegs> user;

  // Why there are no more frames: "user mode", "end of stack", or the error.
  std::string end;
};

inline constexpr size_t kMaxFrames = 256;

// The registers as they are, or were, in the current frame.
struct UnwindState {
  uint64_t ip = 0, sp = 0, bp = 0;
  bool interrupted = true;  // as in StackFrame

  // Further registers that ORC may ask for. Known only if all were saved.
  struct Registers {
    uint64_t dx = 0, di = 0, r10 = 0, r13 = 0;
  };
  std::optional<Registers> registers;
};

enum class UnwindStep {
  kFrame,  // one frame was added
  kEnd,    // there are no more
  kLost,   // the unwinder cannot go on, though there should be more
};

}  // namespace vmm

#endif  // DUMP_KERNEL_STACK_FRAME_H_
