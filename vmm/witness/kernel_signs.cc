#include "vmm/witness/kernel_signs.h"

#include <algorithm>
#include <array>
#include <utility>

#include "vmm/witness/kernel_line.h"
#include "vmm/witness/sign_table.h"
#include "vmm/witness/xen_signs.h"

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

// "general protection fault, maybe for address 0x18: 0000 [#1] SMP": a trap's name, more about it, the error code.
bool IsOops(const KernelLine& line) {
  std::string_view text = line.text;
  TakePrefix(text, "Oops: ");
  for (const std::string_view name : TrapNames()) {
    std::string_view rest = text;
    if (!TakePrefix(rest, name)) continue;
    if (StartsLike(rest, ": %x [#%d]")) return true;
    // "general protection fault, ...", "kernel stack overflow (page fault)"
    const bool more = !name.empty() && (rest.starts_with(", ") || rest.starts_with(" ("));
    if (more && StartsLike(rest, "%s: %x [#%d]")) return true;
  }
  // A newer kernel's trap name. Without a mark, anybody might have printed it.
  return line.marked && StartsLike(text.substr(std::min(text.find(": "), text.size())), ": %x [#%d]");
}

bool IsLockComplaint(std::string_view text) {
  if (!TakePrefix(text, "WARNING: ") && !TakePrefix(text, "[ INFO: ") && !TakePrefix(text, "[ BUG: ")) {
    return false;
  }
  return std::ranges::any_of(LockComplaints(), [&](std::string_view each) { return StartsLike(text, each); });
}

bool IsEarlyException(std::string_view text) {
  return std::ranges::any_of(EarlyExceptionLines(), [&](std::string_view each) { return StartsLike(text, each); });
}

// A task's name may contain a newline. Its line then becomes two, each with printk's mark.
bool EndsHungTask(const KernelLine& line) {
  return line.marked && (StartsLike(line.text, "%s:%d blocked for more than %d seconds.") ||
                         StartsLike(line.text, "%s:%d blocked in I/O wait for more than %d seconds."));
}

std::optional<KernelSign> SignOf(const KernelLine& line) {
  if (IsEarlyException(line.text)) return KernelSign::kPanic;
  if (IsLockComplaint(line.text)) return KernelSign::kLockdep;
  if (IsOops(line)) return KernelSign::kOops;
  for (const SignLine& each : SignLines()) {
    if (each.needs_mark && !line.marked) continue;
    if (StartsLike(line.text, each.format)) return each.sign;
  }
  return EndsHungTask(line) ? std::optional(KernelSign::kHungTask) : std::nullopt;
}

// Returns `line` without the subsystem name before the message.
KernelLine WithoutSubsystem(KernelLine line) {
  for (const std::string_view prefix : SubsystemPrefixes()) {
    if (TakePrefix(line.text, prefix)) return line;
  }
  return line;
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

std::optional<KernelSign> FindKernelSign(std::string_view line, bool whole) {
  if (whole && FindXenDeath(line).has_value()) return KernelSign::kPanic;
  std::optional<KernelSign> most;
  for (const KernelLine& each : FindKernelLines(line, whole)) {
    const std::optional<KernelSign> sign = SignOf(WithoutSubsystem(each));
    if (sign.has_value() && (!most.has_value() || *sign < *most)) most = sign;
  }
  return most;
}

bool SaysEarlyException(std::string_view line) {
  return std::ranges::any_of(FindKernelLines(line, /*whole=*/true),
                             [](const KernelLine& each) { return IsEarlyException(WithoutSubsystem(each).text); });
}

}  // namespace vmm
