// What an unwinder works on and what it finds (backtrace.h).
#ifndef DUMP_KERNEL_STACK_FRAME_H_
#define DUMP_KERNEL_STACK_FRAME_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dump/abi/pt_regs_abi.h"
#include "dump/kernel/orc.h"

namespace vmm {

// Where the kernel's or a module's code lies, and what leads out of it.
struct CodeRegion {
  uint64_t start = 0;
  uint64_t size = 0;
  std::optional<OrcTable> orc;

  bool Contains(uint64_t ip) const { return ip - start < size; }
};

// The region that `ip` lies in, or null.
inline const CodeRegion* FindCode(const std::vector<CodeRegion>& code, uint64_t ip) {
  for (const CodeRegion& region : code) {
    if (region.Contains(ip)) return &region;
  }
  return nullptr;
}

struct StackFrame {
  uint64_t ip = 0;
  uint64_t at = 0;           // where on the stack `ip` was read; 0 for the first frame, of the registers
  bool interrupted = false;  // `ip` would have run next: no call stands in front of it
  bool guess = false;        // found by a look through the stack; may be left over from another call

  // An address within the call itself, to name the caller by: a function may end with a call.
  uint64_t lookup_ip() const { return interrupted ? ip : ip - 1; }

  friend bool operator==(const StackFrame&, const StackFrame&) = default;
};

struct Backtrace {
  std::vector<StackFrame> frames;  // innermost first; at most kMaxFrames

  // What user mode had in its registers when it entered the kernel; none for a kernel thread.
  std::optional<PtRegs> user;

  // Why there are no more frames: "user mode", "end of stack", or what was wrong.
  std::string end;
};

inline constexpr size_t kMaxFrames = 256;

// The registers as they are, or were, in the frame in hand.
struct UnwindState {
  uint64_t ip = 0, sp = 0, bp = 0;
  bool interrupted = true;  // as StackFrame's

  // Those that ORC may ask for besides; known only where all were saved.
  struct Registers {
    uint64_t dx = 0, di = 0, r10 = 0, r13 = 0;
  };
  std::optional<Registers> registers;
};

enum class UnwindStep {
  kFrame,  // one frame was added
  kEnd,    // there are no more
  kLost,   // it cannot go on, though there should be more
};

}  // namespace vmm

#endif  // DUMP_KERNEL_STACK_FRAME_H_
