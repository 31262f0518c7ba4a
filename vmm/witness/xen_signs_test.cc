#include "vmm/witness/xen_signs.h"

#include <gtest/gtest.h>

#include "vmm/witness/kernel_signs.h"

namespace vmm {
namespace {

TEST(XenSignsTest, XensOwnPanicIsXens) {
  EXPECT_EQ(FindXenDeath("(XEN) Panic on CPU 0:"), XenVictim::kXen);
  EXPECT_EQ(FindXenDeath("(XEN) [    3.141592] Panic on CPU 11:"), XenVictim::kXen);
  EXPECT_EQ(FindXenDeath("(XEN) [2026-12-01 05:29:33] FATAL TRAP: vector = 8 (double fault)"), XenVictim::kXen);
}

TEST(XenSignsTest, TheHardwareDomainsDeathIsDom0s) {
  EXPECT_EQ(FindXenDeath("(XEN) Hardware Dom0 crashed: 'noreboot' set - not rebooting."), XenVictim::kDom0);
  EXPECT_EQ(FindXenDeath("(XEN) Hardware Dom0 crashed: rebooting machine in 5 seconds."), XenVictim::kDom0);
  EXPECT_EQ(FindXenDeath("(XEN) Domain 0 (vcpu#0) crashed on cpu#1:"), XenVictim::kDom0);
  EXPECT_EQ(FindXenDeath("(XEN) Domain 0 crashed: rebooting machine in 5 seconds."), XenVictim::kDom0);
}

TEST(XenSignsTest, OtherLinesTellOfNoDeath) {
  EXPECT_EQ(FindXenDeath("(XEN) Hardware Dom0 halted: halting machine"), std::nullopt);
  EXPECT_EQ(FindXenDeath("(XEN) Domain 1 (vcpu#0) crashed on cpu#1:"), std::nullopt);
  EXPECT_EQ(FindXenDeath("(XEN) [Panic on CPU 0:"), std::nullopt);
  EXPECT_EQ(FindXenDeath("Panic on CPU 0:"), std::nullopt);
  EXPECT_EQ(FindXenDeath("(d1) (XEN) Panic on CPU 0:"), std::nullopt);
  EXPECT_EQ(FindXenDeath("(XEN) "), std::nullopt);
  EXPECT_EQ(FindXenDeath(""), std::nullopt);
}

TEST(XenSignsTest, TheyCountAsAPanicOnTheConsole) {
  EXPECT_EQ(FindKernelSign("(XEN) Panic on CPU 0:"), KernelSign::kPanic);
  EXPECT_EQ(FindKernelSign("(XEN) Hardware Dom0 crashed: 'noreboot' set - not rebooting."), KernelSign::kPanic);
  EXPECT_EQ(FindKernelSign("(XEN) Panic on CPU 0:", /*whole=*/false), std::nullopt);
  EXPECT_EQ(FindKernelSign("(XEN) Latest ChangeSet: "), std::nullopt);
}

}  // namespace
}  // namespace vmm
