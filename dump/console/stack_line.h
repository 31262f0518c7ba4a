// Reads the lines of which the kernel's stack traces and register dumps consist.
#ifndef DUMP_CONSOLE_STACK_LINE_H_
#define DUMP_CONSOLE_STACK_LINE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vmm {

struct ConsoleFrame {
  std::string function;      // as printed, with the compiler's suffixes
  uint64_t offset = 0;       // of the return address, or of the instruction if `interrupted`
  uint64_t size = 0;         // of the function; 0: not printed
  std::string module;        // empty: the kernel itself, or not printed
  bool guess = false;        // printed with a "?": a word on the stack that may be left over
  bool interrupted = false;  // from a line "RIP: 0010:f+0x12/0x34": a fault or interrupt hit it
  bool inlined = false;      // printed with "[inline]" by a tool that knows the source
};

// One line of a trace, as Linux 3.x to 7.x print it: "f+0x1/0x2", " ? f+0x1/0x2 [mod]", "[<ffffffff81000000>]
// f+0x1/0x2", "f+0x1/0x2 fs/file.c:12", "f fs/file.c:12 [inline]", arm's "(f) from [<c0010000>] (g+0x1/0x2)".
std::optional<ConsoleFrame> ReadStackLine(std::string_view text);

// The interrupted function in "RIP: 0010:f+0x1/0x2", "RIP: 0010:[<...>]  [<...>] f+0x1/0x2", "IP: f+0x1/0x2",
// "EIP: f+0x1/0x2", "EIP is at f+0x1/0x2", "pc : f+0x1/0x2", "PC is at f+0x1/0x2", "epc : f+0x1/0x2". None for a user's
// address. `again` is set if the line repeats, after the trace, the place of the fault.
std::optional<ConsoleFrame> ReadRegisterLine(std::string_view text, bool* again);

}  // namespace vmm

#endif  // DUMP_CONSOLE_STACK_LINE_H_
