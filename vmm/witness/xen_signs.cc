#include "vmm/witness/xen_signs.h"

#include "vmm/witness/kernel_line.h"

namespace vmm {
namespace {

struct XenLine {
  XenVictim victim;
  std::string_view format;  // for StartsLike()
};

// Checked against the output of Xen 4.17.
constexpr XenLine kLines[] = {
    {XenVictim::kXen, "Panic on CPU %d:"},              // xen/drivers/char/console.c
    {XenVictim::kXen, "FATAL TRAP: vec"},               // xen/arch/x86/traps.c, with "Panic on CPU" before or after
    {XenVictim::kXen, "FATAL PAGE FAULT"},              // the same, for a page fault
    {XenVictim::kDom0, "Hardware Dom%d crashed: "},     // xen/common/shutdown.c
    {XenVictim::kDom0, "Domain 0 (vcpu#%d) crashed "},  // xen/common/domain.c: Xen itself killed it
    {XenVictim::kDom0, "Domain 0 crashed"},             // to 4.4
};

// Takes "[2026-12-01 05:29:33] ", "[    1.234567] " or any other time stamp of console_timestamps=.
void TakeStamp(std::string_view& text) {
  constexpr size_t kLongest = 48;
  if (!text.starts_with('[')) return;
  const size_t end = text.substr(0, kLongest).find("] ");
  if (end != std::string_view::npos) text.remove_prefix(end + 2);
}

}  // namespace

std::string_view XenVictimName(XenVictim victim) { return victim == XenVictim::kXen ? "xen" : "dom0"; }

std::optional<XenVictim> FindXenDeath(std::string_view line) {
  if (!TakePrefix(line, "(XEN) ")) return std::nullopt;
  TakeStamp(line);
  for (const XenLine& each : kLines) {
    if (StartsLike(line, each.format)) return each.victim;
  }
  return std::nullopt;
}

}  // namespace vmm
