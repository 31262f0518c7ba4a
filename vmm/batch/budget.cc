#include "vmm/batch/budget.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

#include "vmm/ktap/trim.h"

namespace vmm {
namespace {

// The start of a file in /proc or /sys; empty if there is none.
std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  std::string text(4096, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

std::optional<uint64_t> NumberIn(std::string_view text) {
  uint64_t number = 0;
  if (!ReadNumber(Trim(text), number)) return std::nullopt;
  return number;
}

void LimitMemory(HostBudget& budget, std::optional<uint64_t> bytes) {
  if (bytes.has_value()) budget.memory_bytes = std::min(budget.memory_bytes, *bytes);
}

// A CPU's worth of time is needed for each vCPU; a fraction of one is better than none.
void LimitCpus(HostBudget& budget, std::optional<uint64_t> quota, std::optional<uint64_t> period) {
  if (!quota.has_value() || !period.has_value() || *period == 0) return;
  const uint64_t cpus = std::max<uint64_t>(1, *quota / *period);
  budget.cpus = static_cast<int>(std::min<uint64_t>(static_cast<uint64_t>(budget.cpus), cpus));
}

void ApplyGroup(const std::string& directory, bool version_2, HostBudget& budget) {
  if (version_2) {
    std::istringstream cpu(ReadText(directory + "/cpu.max"));
    std::string quota, period;
    cpu >> quota >> period;
    LimitCpus(budget, NumberIn(quota), NumberIn(period));
    LimitMemory(budget, NumberIn(ReadText(directory + "/memory.max")));
    return;
  }
  LimitCpus(budget, NumberIn(ReadText(directory + "/cpu.cfs_quota_us")),
            NumberIn(ReadText(directory + "/cpu.cfs_period_us")));
  LimitMemory(budget, NumberIn(ReadText(directory + "/memory.limit_in_bytes")));
}

// `line` is one of /proc/self/cgroup: "0::/path", or "4:memory:/path" for version 1.
void ApplyGroupLine(const std::string& root, std::string_view line, HostBudget& budget) {
  const size_t first = line.find(':');
  const size_t second = line.find(':', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return;
  const std::string controllers(line.substr(first + 1, second - first - 1));
  const bool version_2 = controllers.empty();
  const std::string mount = root + "/sys/fs/cgroup" + (version_2 ? "" : "/" + controllers);
  // In a container the path is often the host's, and only the mount's own root can be seen.
  for (std::string path(line.substr(second + 1));;) {
    ApplyGroup(mount + path, version_2, budget);
    if (path.empty()) return;
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
}

}  // namespace

HostBudget BudgetOfHost(const std::string& root, int online_cpus,
                        const std::function<const char*(const char*)>& variable) {
  HostBudget budget{.cpus = std::max(1, online_cpus)};
  std::istringstream memory(ReadText(root + "/proc/meminfo"));
  for (std::string line; std::getline(memory, line);) {
    std::string_view text = line;
    if (!TakeFront(text, "MemAvailable:") || !text.ends_with(" kB")) continue;
    text.remove_suffix(3);
    if (const auto kilobytes = NumberIn(text); kilobytes.has_value()) LimitMemory(budget, *kilobytes << 10);
  }
  std::istringstream groups(ReadText(root + "/proc/self/cgroup"));
  for (std::string line; std::getline(groups, line);) ApplyGroupLine(root, line, budget);

  const auto number = [&](const char* name) {
    const char* const text = variable(name);
    return text == nullptr ? std::nullopt : NumberIn(text);
  };
  const auto cpus =
      number("SLURM_CPUS_PER_TASK").has_value() ? number("SLURM_CPUS_PER_TASK") : number("SLURM_CPUS_ON_NODE");
  LimitCpus(budget, cpus, 1);
  constexpr uint64_t kMost = uint64_t{1} << 30;  // MiB
  if (const auto node = number("SLURM_MEM_PER_NODE"); node.has_value() && *node > 0 && *node < kMost) {
    LimitMemory(budget, *node << 20);
  } else if (const auto cpu = number("SLURM_MEM_PER_CPU"); cpu.has_value() && *cpu > 0 && *cpu < kMost) {
    LimitMemory(budget, (*cpu << 20) * cpus.value_or(1));
  }
  return budget;
}

}  // namespace vmm
