// How many guests may run at once: what this machine, its cgroup and its job scheduler leave to us.
#ifndef VMM_BATCH_BUDGET_H_
#define VMM_BATCH_BUDGET_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <string>

#include "absl/status/statusor.h"

namespace vmm {

struct HostBudget {
  int cpus = 1;                                                  // the sum of --cpus of the guests that run at once
  int jobs = std::numeric_limits<int>::max();                    // how many at once
  uint64_t memory_bytes = std::numeric_limits<uint64_t>::max();  // the sum of --memory, with kOverhead for each
};

// What a vmm needs besides its guest's RAM, in bytes.
inline constexpr uint64_t kRunOverhead = 64ull << 20;

// The least of: the CPUs we may run on, MemAvailable, the limits of our cgroup (version 2 or 1) and of those above it,
// SLURM_CPUS_PER_TASK or SLURM_CPUS_ON_NODE, SLURM_MEM_PER_NODE or SLURM_MEM_PER_CPU. `root` is "" or, in a test, the
// directory that has proc and sys. A limit that cannot be read does not count.
HostBudget BudgetOfHost(const std::string& root, int online_cpus,
                        const std::function<const char*(const char*)>& variable);

}  // namespace vmm

#endif  // VMM_BATCH_BUDGET_H_
