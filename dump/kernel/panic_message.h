// The kernel's last words, and a name under which deaths of one kind can be counted.
#ifndef DUMP_KERNEL_PANIC_MESSAGE_H_
#define DUMP_KERNEL_PANIC_MESSAGE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dump/kernel/kernel_log.h"

namespace vmm {

struct PanicMessage {
  std::string panic;  // "sysrq triggered crash": the text after "Kernel panic - not syncing: ", or empty

  // The first line of the trouble that led to the panic: "BUG: kernel NULL pointer dereference, address: ...", or
  // empty.
  std::string trouble;

  bool empty() const { return panic.empty() && trouble.empty(); }
};

// Finds the last panic in `log`, and the first oops, BUG, lockup or stall in it. If there is none of these, the first
// warning is the trouble: a warning from hours ago does not hide the oops that killed. Ignores lines that a program
// wrote to /dev/kmsg. Returns printable characters only.
PanicMessage FindPanicMessage(std::span<const LogRecord> log);

// The letters of the kernel's taint flags ("G  E"-like, without the blanks: "GE"); "" if it is not tainted.
std::string TaintLetters(uint64_t mask);

// A function in a backtrace, and whether a fault or an interrupt hit it (StackFrame).
struct SignatureFrame {
  std::string function;
  bool interrupted = false;
};

// Returns 16 hexadecimal digits that are the same for the same death. They are made from the message without its
// numbers, and from the names of the first few functions that matter: those after panic() in the backtrace, or, if a
// fault led to it, those from the fault on. Compilers' suffixes (.cold, .isra.0) do not count.
std::string CrashSignature(const PanicMessage& message, std::span<const SignatureFrame> frames);

}  // namespace vmm

#endif  // DUMP_KERNEL_PANIC_MESSAGE_H_
