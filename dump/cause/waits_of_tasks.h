// The lock waits of all tasks of a guest.
#ifndef DUMP_CAUSE_WAITS_OF_TASKS_H_
#define DUMP_CAUSE_WAITS_OF_TASKS_H_

#include <vector>

#include "dump/cause/region.h"
#include "dump/cause/wait_graph.h"
#include "dump/kernel/task_groups.h"

namespace vmm {

// Looks at each sleeping task whose stack has a lock function. Unwinds their stacks again, because tasks of one group
// have the same functions, but not the same stack. `meter` pays for the reads.
std::vector<Wait> FindWaits(KernelView& view, const AllTasks& tasks, const Regions& regions, Meter& meter);

}  // namespace vmm

#endif  // DUMP_CAUSE_WAITS_OF_TASKS_H_
