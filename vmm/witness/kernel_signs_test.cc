#include "vmm/witness/kernel_signs.h"

#include <string>
#include <utility>

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

TEST(KernelSignsTest, AnExceptionBeforeThereIsATrapTableIsAPanic) {
  const std::string_view lines[] = {
      "[    0.100000] PANIC: early exception 0x0e IP 10:ffffffff81000000 error 0 cr2 0x20",
      "PANIC: early exception 0x06 IP 10:ffffffff837a9f1c error 0 cr2 0xffff888003a01000",
      "PANIC: early exception 0x0d rip 10:ffffffff81d6d2c0 error 0 cr2 0",
      "PANIC: early exception 0e rip 10:ffffffff8103b2d1 error 9 cr2 ffffffffff240000",
      "PANIC: early exception rip ffffffff80208b8b error 0 cr2 0",
      "PANIC: Unsupported exit-code 0x81 in early #VC exception (IP: 0xffffffff81000000)",
      "PANIC: Failure in communication with VMM (exit-code 0x7b IP: 0xffffffff81000000)",
      "SEV: PANIC: Failed to decode instruction (exit-code 0x7b IP: 0xffffffff81000000)",
  };
  for (const std::string_view line : lines) {
    EXPECT_EQ(FindKernelSign(line), KernelSign::kPanic) << line;
    EXPECT_TRUE(SaysEarlyException(line)) << line;
  }
  EXPECT_FALSE(SaysEarlyException("[    1.000000] Kernel panic - not syncing: PANIC: early exception"));
  EXPECT_FALSE(SaysEarlyException("log: PANIC: early exception 0x0e IP 10:ffffffff81000000 error 0 cr2 0x20"));
  EXPECT_FALSE(SaysEarlyException("PANIC: early exception"));
}

TEST(KernelSignsTest, EveryTrapIsAnOops) {
  const std::string_view lines[] = {
      "[   10.000000] int3: 0000 [#1] PREEMPT SMP",
      "[   10.000000] control protection fault: 0003 [#1] SMP",
      "[   10.000000] divide error: 0000 [#1] PREEMPT SMP NOPTI",
      "[   10.000000] overflow: 0000 [#1] SMP",
      "[   10.000000] bounds: 0000 [#1] SMP",
      "[   10.000000] invalid opcode: 0000 [#1] PREEMPT SMP PTI",
      "[   10.000000] coprocessor segment overrun: 0000 [#1] SMP",
      "[   10.000000] invalid TSS: 0050 [#1] SMP",
      "[   10.000000] segment not present: 0018 [#1] SMP",
      "[   10.000000] stack segment: 0000 [#1] PREEMPT SMP",
      "[   10.000000] alignment check: 0000 [#1] SMP",
      "[   10.000000] fpu exception: 0000 [#1] SMP",
      "[   10.000000] simd exception: 0000 [#1] SMP",
      "[   10.000000] unexpected #NM exception: 0000 [#1] SMP",
      "[   10.000000] VE fault: 0000 [#1] SMP",
      "[   10.000000] iret exception: 8000 [#1] SMP",
      "[   10.000000] double fault: 0000 [#1] PREEMPT SMP",
      "[   10.000000] stack guard page: 0000 [#1] PREEMPT SMP",
      "[   10.000000] kernel stack overflow (double-fault): 0000 [#1] SMP",
      "[   10.000000] kernel stack overflow (page fault): 0000 [#1] SMP",
      "[   10.000000] Bad pagetable: 0009 [#1] SMP",
      "[   10.000000] : 0000 [#1] SMP",  // from "Split lock detected\n"
      "[   10.000000] general protection fault: 0000 [#1] SMP",
      "[   10.000000] general protection fault, maybe for address 0x18: 0000 [#1] PREEMPT SMP",
      "[   10.000000] segment-related general protection fault: 0018 [#1] SMP",
      "[   10.000000] Oops: 0002 [#12] SMP KASAN",
      "[   10.000000] Oops: Oops: 0002 [#1] PREEMPT SMP NOPTI",
      "[   10.000000] Oops: int3: 0000 [#1] SMP",
      "[   10.000000] Oops: general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1] "
      "SMP",
      "[   10.000000] a trap of the future: 0000 [#1] SMP",
      "[   10.000000][    T1] PANIC: double fault, error_code: 0x0",
      "[   10.000000] BUG: #DF stack guard page was hit at 00000000e0cfd4b7 (stack is 0..1)",
      "BUG: unable to handle kernel NULL pointer dereference at 0000000000000008",
      "BUG: unable to handle kernel paging request at ffffc90000000000",
  };
  for (const std::string_view line : lines) EXPECT_EQ(FindKernelSign(line), KernelSign::kOops) << line;
}

TEST(KernelSignsTest, LockdepHasOneSignForAllThatItFinds) {
  const std::string_view found[] = {
      "possible circular locking dependency detected",
      "possible recursive locking detected",
      "possible irq lock inversion dependency detected",
      "HARDIRQ-safe -> HARDIRQ-unsafe lock order detected",
      "SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected",
      "inconsistent lock state",
      "bad unlock balance detected!",
      "bad contention detected!",
      "held lock freed!",
      "sh/1 still has locks held!",
      "lock held when returning to user space!",
      "Nested lock was not taken",
      "chain_key collision",
      "suspicious RCU usage",
      "Invalid wait context",
      "suspicious rcu_dereference_check() usage. ",
  };
  for (const std::string_view each : found) {
    const std::string lines[] = {"[   10.000000] WARNING: " + std::string(each), "WARNING: " + std::string(each),
                                 "[   10.000000] [ INFO: " + std::string(each) + " ]",
                                 "[   10.000000] [ BUG: " + std::string(each) + " ]"};
    for (const std::string& line : lines) EXPECT_EQ(FindKernelSign(line), KernelSign::kLockdep) << line;
  }
  EXPECT_EQ(FindKernelSign("[   10.000000] INFO: trying to register non-static key."), KernelSign::kLockdep);
  EXPECT_EQ(FindKernelSign("[   10.000000] BUG: key ffff888001234567 has not been registered!"), KernelSign::kLockdep);
  EXPECT_EQ(FindKernelSign("[   10.000000] BUG: MAX_LOCKDEP_CHAINS too low!"), KernelSign::kLockdep);
  EXPECT_EQ(FindKernelSign("[   10.000000] INFO: lockdep is turned off."), std::nullopt);
}

TEST(KernelSignsTest, StallsOfEveryKindOfRcuAreFound) {
  const std::string_view lines[] = {
      "[   10.000000] INFO: rcu_tasks detected stalls on tasks:",
      "[   10.000000] INFO: rcu_tasks_trace detected stalls on tasks:",
      "[   10.000000] INFO: rcu_tasks_trace detected stalls? (Late IPI?)",
      "[   10.000000] rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-...D } 26 jiffies s: 85 "
      "root: 0x2/.",
      "[   10.000000] INFO: rcu_sched self-detected stall on CPU { 0}  (t=2100 jiffies g=1 c=0 q=4)",
      "[   10.000000] INFO: rcu_sched_state detected stall on CPU 0 (t=6000 jiffies)",
      "[   10.000000] INFO: rcu_bh detected stalls on CPUs/tasks:",
      "[   10.000000] rcu: rcu_preempt kthread starved for 2101 jiffies! g37 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x0 "
      "->cpu=0",
      "[   10.000000] rcu_sched kthread starved for 2101 jiffies!",
      "[   10.000000] rcu: rcu_preempt kthread timer wakeup didn't happen for 2100 jiffies! g37 f0x0",
  };
  for (const std::string_view line : lines) EXPECT_EQ(FindKernelSign(line), KernelSign::kRcuStall) << line;
}

TEST(KernelSignsTest, AHungTaskMayHaveAnyName) {
  const std::string_view names[] = {"sh",
                                    "",
                                    "a b",
                                    "a:1",
                                    "BUG: x",
                                    "traps: sh",
                                    "UBSAN: ",
                                    "INFO: task ",
                                    "kworker/u8:2",
                                    "\xff\xfe",
                                    "Kernel panic - ",
                                    "[1.5] WARNING:",
                                    "x blocked for m"};
  for (const std::string_view name : names) {
    const std::string line =
        "[   10.000000] INFO: task " + std::string(name) + ":12 blocked for more than 120 seconds.";
    EXPECT_EQ(FindKernelSign(line), KernelSign::kHungTask) << line;
  }
  EXPECT_EQ(FindKernelSign("[   10.000000] name:12 blocked for more than 120 seconds."), KernelSign::kHungTask)
      << "the second line of a name with a newline";
  EXPECT_EQ(FindKernelSign("INFO: task x:12 blocked in I/O wait for more than 120 seconds."), KernelSign::kHungTask);
}

TEST(KernelSignsTest, OtherLinesOfTheKernelsSources) {
  const std::pair<std::string_view, KernelSign> lines[] = {
      {"[   10.000000] kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
       KernelSign::kMemoryLeak},
      {"[   10.000000] kmemleak: unreferenced object 0xffff888103a2c000 (size 64):", KernelSign::kMemoryLeak},
      {"[   10.000000] kmemleak: unreferenced object (percpu) 0x607f (size 64):", KernelSign::kMemoryLeak},
      {"[   10.000000] BUG kmalloc-64 (Not tainted): Poison overwritten", KernelSign::kBug},
      {"BUG ext4_inode_cache (Tainted: G    B     OE     ): Objects remaining in ext4_inode_cache", KernelSign::kBug},
      {"[   10.000000] BUG: any words of the kernel's own", KernelSign::kBug},
      {"<3>BUG: any words of the kernel's own", KernelSign::kBug},
      {"[   10.000000] Kernel BUG at f+0x12/0x34 [verbose debug info unavailable]", KernelSign::kBug},
      {"BUG: Bad rss-counter state mm:0000000012345678 type:MM_ANONPAGES val:1", KernelSign::kBug},
      {"BUG: using smp_processor_id() in preemptible [00000000] code: sh/1", KernelSign::kBug},
      {"[   10.000000] WARNING: CPU: 0 PID: 1 at f+0x1/0x2", KernelSign::kWarning},
      {"[   10.000000] WARNING: kernel/softirq.c:376 at __local_bh_enable_ip+0x5c/0x70, CPU#1: sh/97",
       KernelSign::kWarning},
      {"WARNING: [in_hardirq()] kernel/softirq.c:376 at f+0x5c/0x70, CPU#1: a b/97", KernelSign::kWarning},
      {"[   10.000000] WARNING: at f+0x5c/0x70, CPU#1: sh/97", KernelSign::kWarning},
      {"[   10.000000] WARNING: at kernel/softirq.c:143 local_bh_enable+0x7b/0xd0()", KernelSign::kWarning},
      {"[   10.000000] NMI watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [sh:1]", KernelSign::kSoftLockup},
      {"[   10.000000] BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 31s!",
       KernelSign::kSoftLockup},
      {"[   10.000000] Watchdog detected hard LOCKUP on cpu 0", KernelSign::kHardLockup},
      {"[   10.000000] UBSAN: Undefined behaviour in lib/x.c:1:2", KernelSign::kKasan},
      {"[   10.000000] BUG: KCSAN: data-race in a / b", KernelSign::kKasan},
      {"[   10.000000] ---[ end Kernel panic - not syncing: x ]---", KernelSign::kPanic},
      {"login: [   10.000000] BUG: scheduling while atomic: sh/1/0x2", KernelSign::kBug},
  };
  for (const auto& [line, sign] : lines) EXPECT_EQ(FindKernelSign(line), sign) << line;
}

TEST(KernelSignsTest, WordsOfAProgramAreNone) {
  const std::string_view lines[] = {
      "2026-01-01 10:00:00 DEBUG: step one of the test",
      "Oops: usage: foo [options]",
      "Oops: something went wrong",
      "old log: Kernel panic - not syncing: from a file that was printed",
      "old log: Oops: 0002 [#1] SMP",
      "[   10.000000] old log: Kernel panic - not syncing: from a file that was printed",
      "WARNING: apt does not have a stable CLI interface",
      "WARNING: CPU: too hot",
      "WARNING: config.yaml:12 at top level",
      "BUG: after the bytes",
      "test.py: BUG: kernel BUG at hand",
      "INFO: task 12 blocked",
      "INFO: task manager:1 blocked for more than enough",
      "a:12 blocked for more than 120 seconds.",
      "rcu stall test: INFO: rcu_sched self-detected stall on CPU",
      "found 3 new suspected memory leaks (see log)",
      "invalid opcode: 0f0b",
      "not ok 1 - BUG: KASAN: use-after-free in f",
      "UBSAN: on",
  };
  for (const std::string_view line : lines) EXPECT_EQ(FindKernelSign(line), std::nullopt) << line;
}

TEST(KernelSignsTest, WhatAKernelSaysWhereNothingHasDiedIsNone) {
  const std::string_view lines[] = {
      "[    1.000000] EDAC DEBUG: mod_init: start",
      "[    1.000000] ODEBUG: selftest passed",
      "[    0.290000] Speculative Return Stack Overflow: WARNING: See the documentation for mitigation options.",
      "[    0.290000] Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible",
      "[    0.290000] RETBleed: WARNING: Spectre v2 mitigation leaves CPU vulnerable to RETBleed attacks",
      "[    5.000000] WARNING: the mand mount option is being deprecated",
      "[    5.000000] WARNING: The mand mount option has been deprecated and",
      "[    0.100000] WARNING: polling idle and HT enabled, performance may degrade",
      "[    0.100000] WARNING: BIOS bug: CPU MTRRs don't cover all of memory, losing 1MB of RAM.",
      "[    0.100000] ** This means that this is a DEBUG kernel and it is     **",
      "[    0.100000] pci 0000:00:01.0: [Firmware Bug]: reg 0x10: invalid BAR",
      "[    0.100000] [Firmware Bug]: TSC ADJUST: CPU0: -1",
      "[    0.100000] ACPI BIOS Error (bug): Could not resolve symbol",
      "[    0.100000] rcu: \tRCU CPU stall warnings timeout set to 21 (rcu_cpu_stall_timeout).",
      "[    0.100000] kmemleak: Kernel memory leak detector initialized (mem pool available: 15851)",
      "[    0.100000] traps: sh[97] general protection fault ip:401000 sp:7ffd error:0 in sh[401000+1000]",
      "[    0.100000] sh[97]: segfault at 0 ip 0000000000401000 sp 00007ffd error 4",
      "[    0.100000] INFO: NMI handler (perf_event_nmi_handler) took too long to run: 1.234 msecs",
      "[    0.100000] Bug: none",
  };
  for (const std::string_view line : lines) EXPECT_EQ(FindKernelSign(line), std::nullopt) << line;
}

TEST(KernelSignsTest, TheStartOfAPartOfALineIsNoStartOfALine) {
  EXPECT_EQ(FindKernelSign("Kernel panic - not syncing: x", /*whole=*/false), std::nullopt);
  EXPECT_EQ(FindKernelSign("x [    1.000000] Kernel panic - not syncing: x", /*whole=*/false), KernelSign::kPanic);
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
