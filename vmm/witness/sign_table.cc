#include "vmm/witness/sign_table.h"

namespace vmm {
namespace {

// Checked against the sources of Linux 6.1. Lines of other versions are marked with the version.
constexpr SignLine kLines[] = {
    // kernel/panic.c
    {KernelSign::kPanic, "Kernel panic - not syncing"},
    {KernelSign::kPanic, "Kernel panic - not continuing"},  // a panic within a panic, to 4.x
    {KernelSign::kPanic, "---[ end Kernel panic - not syncing"},

    // mm/kasan/report.c, mm/kfence/report.c, mm/kmsan/report.c, kernel/kcsan/report.c, lib/ubsan.c
    {KernelSign::kKasan, "BUG: KASAN: "},
    {KernelSign::kKasan, "BUG: KCSAN: "},
    {KernelSign::kKasan, "BUG: KMSAN: "},
    {KernelSign::kKasan, "BUG: KFENCE: "},
    {KernelSign::kKasan, "UBSAN: %s in %s:%d"},
    {KernelSign::kKasan, "UBSAN: %s at %s+0x%x"},  // as a trap, 6.9

    // kernel/watchdog.c, watchdog_hld.c, workqueue.c
    {KernelSign::kHardLockup, "Watchdog detected hard LOCKUP on cpu"},
    {KernelSign::kHardLockup, "CPU%d: Watchdog detected hard LOCKUP on cpu"},  // 6.5
    {KernelSign::kHardLockup, "CPU %d self-detected hard LOCKUP"},             // powerpc
    {KernelSign::kHardLockup, "CPU %d detected hard LOCKUP on other CPUs"},
    {KernelSign::kHardLockup, "NMI Watchdog detected LOCKUP on CPU"},  // to 2.6.38
    {KernelSign::kSoftLockup, "BUG: soft lockup - CPU#%d"},
    {KernelSign::kSoftLockup, "BUG: soft lockup detected on CPU#%d"},  // 2.6
    {KernelSign::kSoftLockup, "BUG: workqueue lockup - pool"},

    // kernel/rcu/tree_stall.h, tree_exp.h, tasks.h, update.c
    {KernelSign::kRcuStall, "INFO: rcu%s detected stall"},  // "rcu_sched_state", 2.6; "rcu_tasks", "_rude", "_trace"
    {KernelSign::kRcuStall, "INFO: rcu%s self-detected stall on CPU"},
    {KernelSign::kRcuStall, "INFO: rcu%s detected expedited stalls on CPUs/tasks"},
    {KernelSign::kRcuStall, "rcu%s kthread starved for %d jiffies"},
    {KernelSign::kRcuStall, "rcu%s kthread timer wakeup didn't happen for %d jiffies"},

    // kernel/hung_task.c
    {KernelSign::kHungTask, "INFO: task %s:%d blocked for more than %d second"},
    {KernelSign::kHungTask, "INFO: task %s:%d blocked in I/O wait for more than %d second"},

    // arch/x86/mm/fault.c, arch/x86/kernel/traps.c; kTraps has "NAME: 0000 [#1]"
    {KernelSign::kOops, "BUG: unable to handle "},
    {KernelSign::kOops, "BUG: kernel NULL pointer dereference"},
    {KernelSign::kOops, "Unable to handle kernel "},  // other architectures, x86 in 2.6
    {KernelSign::kOops, "BUG: %sstack guard page was hit at"},
    {KernelSign::kOops, "stack guard page was hit at"},
    {KernelSign::kOops, "Oops: %s: %x [#%d]"},  // 6.10
    {KernelSign::kOops, "Oops: %x [#%d]"},
    {KernelSign::kOops, "Oops: %s[#%d]"},                 // powerpc, s390
    {KernelSign::kOops, "Oops[#%d]"},                     // mips
    {KernelSign::kOops, "Internal error: %s: %x [#%d]"},  // arm, arm64
    {KernelSign::kOops, "PANIC: double fault"},
    {KernelSign::kOops, "PANIC: invalid or fatal FRED event"},  // 6.9

    // kernel/locking/lockdep.c, besides those in kLockComplaints
    {KernelSign::kLockdep, "INFO: trying to register non-static key"},
    {KernelSign::kLockdep, "BUG: key %s has not been registered"},
    {KernelSign::kLockdep, "BUG: key %s not in .data"},  // to 5.0
    {KernelSign::kLockdep, "BUG: looking up invalid subclass"},
    {KernelSign::kLockdep, "BUG: MAX_LOCK"},
    {KernelSign::kLockdep, "BUG: MAX_STACK_TRACE_ENTRIES too low"},

    // lib/bug.c, mm/slub.c, mm/slab.c, kernel/sched/, kernel/locking/spinlock_debug.c, kernel/fork.c, mm/
    {KernelSign::kBug, "kernel BUG at "},
    {KernelSign::kBug, "Kernel BUG at "},
    {KernelSign::kBug, "BUG: failure at %s:%d/"},
    {KernelSign::kBug, "BUG %s (Not tainted): "},
    {KernelSign::kBug, "BUG %s (Tainted: %s): "},
    {KernelSign::kBug, "slab error in %s(): cache "},  // mm/slab.c, to 6.7
    {KernelSign::kBug, "Slab corruption%s: %s start="},
    {KernelSign::kBug, "Slab corruption: start="},
    {KernelSign::kBug, "BUG: scheduling while atomic: "},
    {KernelSign::kBug, "BUG: scheduling in a non-blocking section: "},
    {KernelSign::kBug, "bad: scheduling from the idle thread!"},
    {KernelSign::kBug, "BUG: sleeping function called from invalid context at "},
    {KernelSign::kBug, "BUG: assuming atomic context at "},
    {KernelSign::kBug, "BUG: assuming non migratable context at "},
    {KernelSign::kBug, "BUG: using %s in preemptible "},
    {KernelSign::kBug, "BUG: spinlock %s on CPU#%d"},
    {KernelSign::kBug, "BUG: rwlock %s on CPU#%d"},
    {KernelSign::kBug, "BUG: rwlock-lockup on CPU#%d"},
    {KernelSign::kBug, "BUG: workqueue leaked "},
    {KernelSign::kBug, "BUG: Bad rss-counter state mm:"},
    {KernelSign::kBug, "BUG: non-zero pgtables_bytes on freeing mm: "},
    {KernelSign::kBug, "BUG: non-zero nr_p%s on freeing mm: "},  // to 4.14
    {KernelSign::kBug, "BUG: Bad page "},
    {KernelSign::kBug, "BUG: Dentry "},
    {KernelSign::kBug, "BUG: mempool element poison mismatch"},
    {KernelSign::kBug, "BUG: recent printk recursion"},
    {KernelSign::kBug, "BUG at %s:%d (", true},
    {KernelSign::kBug, "BUG: ", true},

    // kernel/panic.c. The kernel has many other lines that begin "WARNING: ", about mitigations or deprecated features.
    {KernelSign::kWarning, "WARNING: CPU: %d PID: %d at "},
    {KernelSign::kWarning, "WARNING: %s:%d at %s, CPU#%d: "},  // 6.19
    {KernelSign::kWarning, "WARNING: at %s, CPU#%d: "},
    {KernelSign::kWarning, "WARNING: at %s:%d %s+0x%x/0x%x"},  // to 3.10
    // arch/x86/kernel/unwind_*.c, dumpstack_64.c: a broken stack
    {KernelSign::kWarning, "WARNING: kernel stack %s at %s has bad "},
    {KernelSign::kWarning, "WARNING: can't access registers at ", true},
    {KernelSign::kWarning, "WARNING: can't dereference %sregisters at ", true},
    {KernelSign::kWarning, "WARNING: stack going in the wrong direction? at ", true},
    {KernelSign::kWarning, "WARNING: stack recursion on stack type %d"},

    // mm/kmemleak.c
    {KernelSign::kMemoryLeak, "unreferenced object 0x%x"},
    {KernelSign::kMemoryLeak, "unreferenced object (percpu) 0x%x"},  // 6.14
    {KernelSign::kMemoryLeak, "%d new suspected memory leaks (see "},
};

constexpr std::string_view kPrefixes[] = {
    "rcu: ",       "watchdog: ", "NMI watchdog: ", "workqueue: ", "traps: ", "kmemleak: ", "lockdep: ",
    "hung_task: ", "slub: ",     "SLUB: ",         "slab: ",      "fred: ",  "SEV: ",      "x86/split lock detection: ",
};

// The die() calls of arch/x86.
constexpr std::string_view kTraps[] = {
    "Oops",
    "Bad pagetable",
    "divide error",
    "debug",
    "nmi",
    "int3",
    "overflow",
    "bounds",
    "invalid opcode",
    "device not available",
    "unexpected #NM exception",
    "double fault",
    "coprocessor segment overrun",
    "invalid TSS",
    "segment not present",
    "stack segment",
    "general protection fault",
    "segment-related general protection fault",
    "general protection",
    "page fault",
    "spurious interrupt bug",
    "coprocessor error",
    "fpu exception",
    "alignment check",
    "machine check",
    "simd exception",
    "simd error",
    "VE fault",
    "virtualization exception",
    "control protection fault",
    "VMM Communication Exception",
    "iret exception",
    "Split lock detected",
    "stack guard page",
    "kernel stack overflow",
    "invalid or fatal FRED event",
    "unknown trap",
    "",  // "Split lock detected" has its own line
};

constexpr std::string_view kLockComplaints[] = {
    "possible circular locking dependency detected",
    "possible recursive locking detected",
    "possible irq lock inversion dependency detected",
    "%s-safe -> %s-unsafe lock order detected",
    "inconsistent lock state",
    "bad unlock balance detected",
    "bad contention detected",
    "held lock freed",
    "%s/%d still has locks held",
    "lock held when returning to user space",
    "lock held at task exit time",  // to 3.x
    "Nested lock was not taken",
    "chain_key collision",
    "Invalid wait context",
    "suspicious RCU usage",
    "suspicious rcu_dereference_check() usage",  // to 3.1
    "circular locking deadlock detected",        // kernel/locking/rtmutex-debug.c, to 5.14
};

// arch/x86/mm/extable.c, arch/x86/kernel/head_64.S and sev.c
constexpr std::string_view kEarlyExceptions[] = {
    "PANIC: early exception 0x%x IP %x:%x error %x cr2 ",
    "PANIC: early exception 0x%x rip %x:%x error %x cr2 ",  // to 4.5
    "PANIC: early exception %x rip %x:%x error %x cr2 ",
    "PANIC: early exception rip %x error %x cr2 ",
    "PANIC: Unsupported exit-code 0x%x in early #VC exception (IP: ",
    "PANIC: Failure in communication with VMM (exit-code 0x%x IP: ",
    "PANIC: Failed to decode instruction (exit-code 0x%x IP: ",
};

}  // namespace

std::span<const SignLine> SignLines() { return kLines; }
std::span<const std::string_view> SubsystemPrefixes() { return kPrefixes; }
std::span<const std::string_view> TrapNames() { return kTraps; }
std::span<const std::string_view> LockComplaints() { return kLockComplaints; }
std::span<const std::string_view> EarlyExceptionLines() { return kEarlyExceptions; }

}  // namespace vmm
