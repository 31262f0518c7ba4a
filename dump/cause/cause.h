// Why a guest died, as far as its dump shows, as plain data for the text, the JSON and the HTML of a report.
#ifndef DUMP_CAUSE_CAUSE_H_
#define DUMP_CAUSE_CAUSE_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/budget.h"
#include "dump/cause/fault.h"
#include "dump/cause/instruction.h"
#include "dump/cause/memory_finding.h"
#include "dump/cause/wait_graph.h"
#include "dump/kernel/task_groups.h"
#include "dump/snapshot/vmcoreinfo.h"

namespace vmm {

// What the search for a cause may spend. A read is 8 bytes or a struct.
inline constexpr Budget kCauseBudget{"cause of a death", 0, 4 << 20, "reads", 5};

struct RegisterMeaning {
  std::string name;
  uint64_t value = 0;
  std::string words;  // what the value points to; empty: no pointer
};

struct Cause {
  // One sentence, or empty: not known.
  std::string why;
  Certainty certainty = Certainty::kGuess;

  // The instruction. All empty if no single instruction is at fault.
  std::optional<Fault> fault;
  std::string function;  // "f+0x12/0x40 [module]" of RIP
  CodeListing code;
  std::vector<std::string> targets;  // names of the calls' and jumps' targets, one for each line of `code`; or empty
  std::vector<RegisterMeaning> registers;
  std::optional<Operand> operand;       // FaultingOperand()
  std::optional<MemoryFinding> memory;  // at the faulting address

  // The tasks, and their locks.
  std::optional<AllTasks> tasks;
  WaitGraph waits;
  std::vector<std::string> lock_names;  // one for each of waits.waits: "rtnl_mutex+0x0/0x20", "0xffff..."

  std::vector<std::string> missing;

  // "one 101".
  std::string TaskName(size_t task) const;
  // "mutex first+0x0 [ends]".
  std::string LockName(size_t wait) const;
};

// `report` is made of the same `view` and `cpus`. `info` may be null. Costs at most kCauseBudget, and what the stacks
// of `view` cost.
Cause FindCause(KernelView& view, const PhysicalMemory& memory, const VmcoreInfo* info, const KernelReport& report,
                std::span<const CpuState> cpus);

}  // namespace vmm

#endif  // DUMP_CAUSE_CAUSE_H_
