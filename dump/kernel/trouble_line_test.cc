#include "dump/kernel/trouble_line.h"

#include <string>

#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(TroubleLineTest, EveryKindOfReportIsKnownByItsFirstLine) {
  for (const char* line : {
           "BUG: kernel NULL pointer dereference, address: 0000000000000010",
           "BUG: unable to handle kernel paging request at ffff88003fe01000",  // 4.x
           "BUG: unable to handle page fault for address: ffffc90000123000",
           "BUG: KASAN: slab-out-of-bounds in f+0x1/0x2",
           "BUG: KCSAN: data-race in f / g",
           "BUG: KMSAN: uninit-value in f+0x1/0x2",
           "BUG: KFENCE: use-after-free read in f+0x1/0x2",
           "BUG: sleeping function called from invalid context at kernel/x.c:1",
           "BUG: scheduling while atomic: bash/1/0x00000002",
           "BUG: spinlock lockup suspected on CPU#0, swapper/0",
           "BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 37s!",
           "BUG: Bad page state in process bash  pfn:12345",
           "BUG: TASK stack guard page was hit at 0000000000000010",
           "BUG kmalloc-64 (Not tainted): Redzone overwritten",
           "BUG kmalloc-64 (Tainted: G    B  ): Poison overwritten",
           "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [bash:1]",
           "NMI watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [bash:1]",
           "NMI watchdog: Watchdog detected hard LOCKUP on cpu 0",
           "watchdog: Watchdog detected hard LOCKUP on cpu 0",
           "watchdog: CPU0: Watchdog detected hard LOCKUP on cpu 0",
           "kernel BUG at mm/slub.c:4000!",
           "Oops: 0002 [#1] PREEMPT SMP NOPTI",
           "Oops: general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP",
           "Oops: divide error: 0000 [#1] SMP",
           "general protection fault: 0000 [#1] SMP",
           "general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP",
           "divide error: 0000 [#1] SMP",
           "invalid opcode: 0000 [#1] SMP",
           "int3: 0000 [#1] SMP",
           "traps: PANIC: double fault, error_code: 0x0",
           "PANIC: double fault, error_code: 0x0",
           "double fault: 0000 [#1] SMP",
           "kernel stack overflow (double-fault): 0000 [#1] SMP",
           "traps: Missing ENDBR: f+0x0/0x10",
           "list_add corruption. next->prev should be prev (ffff1), but was ffff2. (next=ffff3).",
           "list_del corruption, ffff1->next is LIST_POISON1 (dead000000000100)",
           "rcu: INFO: rcu_preempt self-detected stall on CPU",
           "rcu: INFO: rcu_sched detected expedited stalls on CPUs/tasks: { 0-... } 21 jiffies s: 1 root: 0x1/.",
           "INFO: rcu_sched detected stalls on CPUs/tasks:",
           "INFO: task kworker/0:1:12 blocked for more than 120 seconds.",
           "mce: [Hardware Error]: CPU 0: Machine Check Exception: 5 Bank 4: b200000000070f0f",
       }) {
    const auto found = FindTroubleLine(line);
    ASSERT_TRUE(found.has_value()) << line;
    EXPECT_EQ(found->trouble, Trouble::kFatal) << line;
    EXPECT_EQ(found->text, line);
  }
}

TEST(TroubleLineTest, AfterAWarningTheKernelWentOn) {
  for (const char* line : {
           "WARNING: CPU: 0 PID: 0 at kernel/x.c:1 f+0x1/0x2",
           "WARNING: kernel/x.c:1 at f+0x1/0x2, CPU#0: swapper/0",  // 6.16
           "WARNING: possible circular locking dependency detected",
           "WARNING: suspicious RCU usage",
           "WARNING: inconsistent lock state",
           "[ INFO: possible circular locking dependency detected ]",  // 4.x
           "[ INFO: suspicious RCU usage. ]",
           "[ BUG: bad unlock balance detected! ]",
           "INFO: trying to register non-static key.",
           "UBSAN: array-index-out-of-bounds in kernel/x.c:1:2",
           "kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
       }) {
    const auto found = FindTroubleLine(line);
    ASSERT_TRUE(found.has_value()) << line;
    EXPECT_EQ(found->trouble, Trouble::kWarning) << line;
  }
}

TEST(TroubleLineTest, OtherLinesWithSuchWordsAreNone) {
  for (const char* line : {
           "",
           "\n",
           "[",
           "[ 1.0",
           "[ 1.0]",
           "DEBUG: all is well",
           "mydrv: BUG: in the firmware, worked around",
           "mydrv: WARNING: slow link",
           "traps: init[1] general protection fault ip:401000 sp:7ffe0000 error:0 in init",
           "traps: init[1] trap divide error ip:401000 sp:7ffe0000 error:0",
           "init[1]: segfault at 10 ip 401000 sp 7ffe0000 error 4",
           "Command line: WARNING: BUG: Oops: ",
           "INFO: task scheduler ready",
           "BUGS to: someone",
           "mce: [Hardware Error]: Machine check events logged",
           "rcu: Hierarchical RCU implementation.",
           "rcu: \tRCU CPU stall warnings timeout set to 60 (rcu_cpu_stall_timeout).",
           "overflow: counter wraps",
       }) {
    EXPECT_FALSE(FindTroubleLine(line).has_value()) << line;
  }
}

TEST(TroubleLineTest, ATimeStampAndItsCallerDoNotCount) {
  EXPECT_EQ(FindTroubleLine("[   12.345678] BUG: x\nmore")->text, "BUG: x");
  EXPECT_EQ(FindTroubleLine("[   12.345678][    T1] WARNING: CPU: 0")->text, "WARNING: CPU: 0");
  EXPECT_EQ(FindTroubleLine("[   12.345678] [ INFO: suspicious RCU usage. ]")->text, "[ INFO: suspicious RCU usage. ]");
  EXPECT_EQ(FindTroubleLine("\nBUG: x")->text, "BUG: x");
  EXPECT_FALSE(FindTroubleLine("[   12.345678] DEBUG: x").has_value());
}

}  // namespace
}  // namespace vmm
