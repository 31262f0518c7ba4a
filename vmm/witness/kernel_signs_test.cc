#include "vmm/witness/kernel_signs.h"

#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(KernelSignsTest, EachSignIsFoundInALineOfARealKernel) {
  const std::pair<std::string_view, KernelSign> lines[] = {
      {"Kernel panic - not syncing: sysrq triggered crash", KernelSign::kPanic},
      {"[    3.8] Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b", KernelSign::kPanic},
      {"BUG: unable to handle page fault for address: ffffffffc0000000", KernelSign::kOops},
      {"Oops: 0002 [#1] PREEMPT SMP PTI", KernelSign::kOops},
      {"general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1] SMP",
       KernelSign::kOops},
      {"BUG: TASK stack guard page was hit at 00000000e0cfd4b7", KernelSign::kOops},
      {"traps: PANIC: double fault, error_code: 0x0", KernelSign::kOops},
      {"kernel BUG at fs/inode.c:611!", KernelSign::kBug},
      {"BUG: scheduling while atomic: sh/1/0x00000002", KernelSign::kBug},
      {"BUG: KASAN: slab-out-of-bounds in kmalloc_oob_right+0x75/0x90", KernelSign::kKasan},
      {"UBSAN: array-index-out-of-bounds in drivers/x.c:1:2", KernelSign::kKasan},
      {"WARNING: CPU: 1 PID: 97 at kernel/softirq.c:376 __local_bh_enable_ip+0x5c/0x70", KernelSign::kWarning},
      {"watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [insmod:97]", KernelSign::kSoftLockup},
      {"NMI watchdog: Watchdog detected hard LOCKUP on cpu 1", KernelSign::kHardLockup},
      {"watchdog: CPU2: Watchdog detected hard LOCKUP on cpu 2", KernelSign::kHardLockup},
      {"rcu: INFO: rcu_preempt self-detected stall on CPU", KernelSign::kRcuStall},
      {"rcu: INFO: rcu_sched detected stalls on CPUs/tasks:", KernelSign::kRcuStall},
      {"INFO: task init:1 blocked for more than 120 seconds.", KernelSign::kHungTask},
      {"WARNING: possible circular locking dependency detected", KernelSign::kLockdep},
      {"unreferenced object 0xffff888103a2c000 (size 64):", KernelSign::kMemoryLeak},
  };
  for (const auto& [line, sign] : lines) EXPECT_EQ(FindKernelSign(line), sign) << line;
}

TEST(KernelSignsTest, AnOrdinaryLineIsNone) {
  const std::string_view lines[] = {
      "",
      "[    0.0] Linux version 6.1.0-56-amd64",
      "[    0.0] Command line: panic=-1 oops=panic hung_task_panic=1",
      "[    1.2] NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.",
      "[    2.2] INFO: task manager started",
      "traps: sh[97] general protection fault ip:401000 sp:7ffd error:0 in sh[401000+1000]",
      "traps: sh[97] trap invalid opcode: ip:401000",
      "debug: panic button not pressed",
  };
  for (const std::string_view line : lines) EXPECT_EQ(FindKernelSign(line), std::nullopt) << line;
}

TEST(KernelSignsTest, NamesAreReadBack) {
  for (int i = 0; i <= static_cast<int>(KernelSign::kMemoryLeak); ++i) {
    const KernelSign sign = static_cast<KernelSign>(i);
    EXPECT_EQ(ParseKernelSign(KernelSignName(sign)), sign);
  }
  EXPECT_EQ(ParseKernelSign("Panic"), std::nullopt);
}

}  // namespace
}  // namespace vmm
