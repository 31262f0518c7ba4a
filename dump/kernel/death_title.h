// The title under which people file a death, from a dump's log and, if that says too little, from the stack of the CPU
// that died.
#ifndef DUMP_KERNEL_DEATH_TITLE_H_
#define DUMP_KERNEL_DEATH_TITLE_H_

#include <optional>
#include <span>
#include <string>

#include "dump/console/console_report.h"
#include "dump/kernel/kernel_log.h"

namespace vmm {

// A frame of the CPU that died, innermost first.
struct DeathFrame {
  std::string function;
  uint64_t offset = 0;
  uint64_t size = 0;
  std::string module;        // empty: the kernel itself
  bool interrupted = false;  // a fault or an interrupt hit it
};

// Finds the report that led to the death: the last one that ended in a panic, else the first one that is more than a
// warning, else the first. Lines that a program wrote to /dev/kmsg do not count. If the log names no function, as when
// the guest was stopped before it printed its stack, `stack` names it: what follows panic(), or the fault. None if the
// log has no report. first_line and last_line of the result have no meaning.
std::optional<ConsoleReport> FindDeathTitle(std::span<const LogRecord> log, std::span<const DeathFrame> stack);

}  // namespace vmm

#endif  // DUMP_KERNEL_DEATH_TITLE_H_
