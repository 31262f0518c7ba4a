// What the kernel said when it died, and a name under which deaths of one kind can be counted.
#ifndef DUMP_KERNEL_PANIC_MESSAGE_H_
#define DUMP_KERNEL_PANIC_MESSAGE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dump/kernel/kernel_log.h"

namespace vmm {

struct PanicMessage {
  std::string panic;  // "sysrq triggered crash": what follows "Kernel panic - not syncing: ", or empty

  // The first line of the trouble that led to it: "BUG: kernel NULL pointer dereference, address: ...", or empty.
  std::string trouble;

  bool empty() const { return panic.empty() && trouble.empty(); }
};

// The last panic in `log`, and the first of the oopses, BUGs, lockups and stalls that it tells of, or without any the
// first warning: a warning of hours ago does not hide the oops that killed. Lines that a program wrote to /dev/kmsg do
// not count. Printable characters only.
PanicMessage FindPanicMessage(std::span<const LogRecord> log);

// The letters of the kernel's taint flags ("G  E"-like, without the blanks: "GE"); "" where it is not tainted.
std::string TaintLetters(uint64_t mask);

// A function in a backtrace, and whether a fault or an interrupt hit it (StackFrame).
struct SignatureFrame {
  std::string function;
  bool interrupted = false;
};

// 16 hexadecimal digits that are the same for the same death: of the message, its numbers left out, and of the
// names of the first few functions that matter: those behind panic(), or where a fault led to it those from the
// fault on. Compilers' suffixes (.cold, .isra.0) do not count.
std::string CrashSignature(const PanicMessage& message, std::span<const SignatureFrame> frames);

}  // namespace vmm

#endif  // DUMP_KERNEL_PANIC_MESSAGE_H_
