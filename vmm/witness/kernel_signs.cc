#include "vmm/witness/kernel_signs.h"

#include <array>
#include <utility>

namespace vmm {
namespace {

constexpr std::array<std::pair<KernelSign, std::string_view>, 11> kNames = {{
    {KernelSign::kPanic, "panic"},
    {KernelSign::kOops, "oops"},
    {KernelSign::kBug, "bug"},
    {KernelSign::kKasan, "kasan"},
    {KernelSign::kWarning, "warning"},
    {KernelSign::kSoftLockup, "soft-lockup"},
    {KernelSign::kHardLockup, "hard-lockup"},
    {KernelSign::kRcuStall, "rcu-stall"},
    {KernelSign::kHungTask, "hung-task"},
    {KernelSign::kLockdep, "lockdep"},
    {KernelSign::kMemoryLeak, "memory-leak"},
}};

// `also`: words that must follow later in the line.
struct Words {
  KernelSign sign;
  std::string_view text;
  std::string_view also = "";
};

// The first that matches counts, so what says more stands before what says less.
constexpr std::array kWords = {
    Words{KernelSign::kPanic, "Kernel panic - not syncing"},
    Words{KernelSign::kPanic, "Kernel panic - not continuing"},  // of a panic within a panic

    Words{KernelSign::kKasan, "BUG: KASAN: "},
    Words{KernelSign::kKasan, "BUG: KCSAN: "},
    Words{KernelSign::kKasan, "BUG: KMSAN: "},
    Words{KernelSign::kKasan, "BUG: KFENCE: "},
    Words{KernelSign::kKasan, "UBSAN: "},

    Words{KernelSign::kHardLockup, "Watchdog detected hard LOCKUP on cpu"},
    Words{KernelSign::kHardLockup, "watchdog: CPU", "detected hard LOCKUP"},
    Words{KernelSign::kSoftLockup, "BUG: soft lockup - CPU#"},
    Words{KernelSign::kSoftLockup, "BUG: workqueue lockup"},
    Words{KernelSign::kRcuStall, "self-detected stall on CPU"},
    Words{KernelSign::kRcuStall, "detected stalls on CPUs/tasks"},
    Words{KernelSign::kRcuStall, "detected expedited stalls on CPUs/tasks"},
    Words{KernelSign::kRcuStall, "kthread starved for ", "jiffies"},
    Words{KernelSign::kHungTask, "INFO: task ", "blocked for more than"},
    Words{KernelSign::kHungTask, "INFO: task ", "blocked in I/O wait for more than"},

    Words{KernelSign::kOops, "BUG: unable to handle"},
    Words{KernelSign::kOops, "BUG: kernel NULL pointer dereference"},
    Words{KernelSign::kOops, "BUG: stack guard page was hit"},
    Words{KernelSign::kOops, "stack guard page was hit at"},
    Words{KernelSign::kOops, "kernel stack overflow"},
    Words{KernelSign::kOops, "Oops: "},
    Words{KernelSign::kOops, "Oops[#"},
    Words{KernelSign::kOops, "general protection fault"},
    Words{KernelSign::kOops, "PANIC: double fault"},
    Words{KernelSign::kOops, "double fault: "},
    Words{KernelSign::kOops, "stack segment: "},
    Words{KernelSign::kOops, "divide error: "},
    Words{KernelSign::kOops, "invalid opcode: "},
    Words{KernelSign::kOops, "alignment check: "},

    Words{KernelSign::kBug, "kernel BUG at "},
    Words{KernelSign::kBug, "BUG: "},

    Words{KernelSign::kLockdep, "WARNING: possible circular locking dependency detected"},
    Words{KernelSign::kLockdep, "WARNING: possible recursive locking detected"},
    Words{KernelSign::kLockdep, "WARNING: possible irq lock inversion dependency detected"},
    Words{KernelSign::kLockdep, "WARNING: inconsistent lock state"},
    Words{KernelSign::kLockdep, "WARNING: bad unlock balance detected"},
    Words{KernelSign::kLockdep, "WARNING: suspicious RCU usage"},
    Words{KernelSign::kLockdep, "WARNING: Nested lock was not taken"},
    Words{KernelSign::kWarning, "WARNING: CPU: "},
    Words{KernelSign::kWarning, "WARNING: "},

    Words{KernelSign::kMemoryLeak, "unreferenced object 0x"},
};

// A user's program has a fault in kernel words too ("traps: init[1] general protection fault
// ip:..."), which is the kernel at work and not in trouble.
bool IsOfUserSpace(std::string_view line) { return line.find("traps: ") != std::string_view::npos; }

bool Matches(std::string_view line, const Words& words) {
  const size_t at = line.find(words.text);
  if (at == std::string_view::npos) return false;
  return words.also.empty() || line.find(words.also, at + words.text.size()) != std::string_view::npos;
}

}  // namespace

std::string_view KernelSignName(KernelSign sign) {
  for (const auto& [each, name] : kNames) {
    if (each == sign) return name;
  }
  return "unknown";
}

std::optional<KernelSign> ParseKernelSign(std::string_view name) {
  for (const auto& [sign, each] : kNames) {
    if (each == name) return sign;
  }
  return std::nullopt;
}

std::optional<KernelSign> FindKernelSign(std::string_view line) {
  for (const Words& words : kWords) {
    if (!Matches(line, words)) continue;
    const bool fault = words.sign == KernelSign::kOops && words.text != "PANIC: double fault";
    if (fault && IsOfUserSpace(line)) return std::nullopt;
    return words.sign;
  }
  return std::nullopt;
}

}  // namespace vmm
