#include "vmm/batch/budget.h"

#include <filesystem>
#include <fstream>
#include <map>

#include "gtest/gtest.h"

namespace vmm {
namespace {

// A machine's proc and sys, made up.
class BudgetTest : public ::testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }

  HostBudget Of(int cpus) const {
    return BudgetOfHost(root_, cpus, [this](const char* name) -> const char* {
      const auto found = environment_.find(name);
      return found == environment_.end() ? nullptr : found->second.c_str();
    });
  }

  const std::string root_ =
      ::testing::TempDir() + "/budget-" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
  std::map<std::string, std::string> environment_;
};

TEST_F(BudgetTest, AMachineWithoutLimitsGivesItsCpusAndItsFreeMemory) {
  Write("/proc/meminfo", "MemTotal:       999 kB\nMemAvailable:    1024 kB\n");
  const HostBudget budget = Of(8);
  EXPECT_EQ(budget.cpus, 8);
  EXPECT_EQ(budget.memory_bytes, 1u << 20);
}

TEST_F(BudgetTest, TheTightestCgroupAboveUsCounts) {
  Write("/proc/self/cgroup", "0::/job/step\n");
  Write("/sys/fs/cgroup/job/step/cpu.max", "max 100000\n");
  Write("/sys/fs/cgroup/job/step/memory.max", "max\n");
  Write("/sys/fs/cgroup/job/cpu.max", "250000 100000\n");
  Write("/sys/fs/cgroup/job/memory.max", "1000000\n");
  const HostBudget budget = Of(8);
  EXPECT_EQ(budget.cpus, 2);
  EXPECT_EQ(budget.memory_bytes, 1'000'000);
}

TEST_F(BudgetTest, CgroupsOfVersionOneCountToo) {
  Write("/proc/self/cgroup", "3:memory:/x\n2:cpu,cpuacct:/x\n");
  Write("/sys/fs/cgroup/memory/x/memory.limit_in_bytes", "2000000\n");
  Write("/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us", "50000\n");
  Write("/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n");
  const HostBudget budget = Of(8);
  EXPECT_EQ(budget.cpus, 1) << "half a CPU still runs one guest";
  EXPECT_EQ(budget.memory_bytes, 2'000'000);
}

TEST_F(BudgetTest, SlurmsShareOfTheNodeCounts) {
  environment_ = {{"SLURM_CPUS_ON_NODE", "4"}, {"SLURM_MEM_PER_NODE", "512"}};
  EXPECT_EQ(Of(8).cpus, 4);
  EXPECT_EQ(Of(8).memory_bytes, 512ull << 20);
  environment_ = {{"SLURM_CPUS_ON_NODE", "4"}, {"SLURM_CPUS_PER_TASK", "2"}, {"SLURM_MEM_PER_CPU", "100"}};
  EXPECT_EQ(Of(8).cpus, 2);
  EXPECT_EQ(Of(8).memory_bytes, 200ull << 20);
  environment_ = {{"SLURM_CPUS_ON_NODE", "lots"}, {"SLURM_MEM_PER_NODE", "0"}};
  EXPECT_EQ(Of(8).cpus, 8);
  EXPECT_EQ(Of(8).memory_bytes, std::numeric_limits<uint64_t>::max());
}

}  // namespace
}  // namespace vmm
