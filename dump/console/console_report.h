// A kernel's report of trouble, as a log of its console shows it.
#ifndef DUMP_CONSOLE_CONSOLE_REPORT_H_
#define DUMP_CONSOLE_CONSOLE_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "dump/console/headlines.h"
#include "dump/console/stack_line.h"

namespace vmm {

struct ConsoleReport {
  TroubleKind kind = TroubleKind::kPanic;
  std::string title;        // "KASAN: slab-use-after-free Read in f": without numbers and addresses
  std::string function;     // the function to blame, as PlainFunctionName(); empty: none is known
  std::string signature;    // 16 hexadecimal digits, the same for the same death (docs/cause.md)
  std::string headline;     // the line that told what happened, without what the log put before it
  std::string panic;        // the words of the panic that followed; empty: none did
  std::string caller;       // "T12" or "C0" if the kernel tells who prints; else empty
  uint64_t first_line = 0;  // in the log, counted from 1
  uint64_t last_line = 0;
  std::vector<ConsoleFrame> frames;  // innermost first: of the stack by which `function` was chosen
};

}  // namespace vmm

#endif  // DUMP_CONSOLE_CONSOLE_REPORT_H_
