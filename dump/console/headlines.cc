#include "dump/console/headlines.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace vmm {
namespace {

constexpr std::string_view kDeadlock = "possible deadlock{in}";
constexpr std::string_view kStall = "INFO: rcu detected stall{in}";
constexpr std::string_view kNull = "BUG: unable to handle kernel NULL pointer dereference{in}";
constexpr std::string_view kPaging = "BUG: unable to handle kernel paging request{in}";
constexpr std::string_view kHang = "INFO: task hung{in}";

// Checked against Linux 6.1; a version stands where others differ. The first that fits counts.
constexpr Headline kHeadlines[] = {
    // mm/kasan/report.c; before 4.10 "use after free in f at addr", in 4.0 "KASan"
    {TroubleKind::kKasan, "BUG: KASAN: %s in %f", "KASAN: {0}{access}{in}", false, 1},
    {TroubleKind::kKasan, "BUG: KASan: %s in %f", "KASAN: {0}{access}{in}", false, 1},
    {TroubleKind::kKasan, "BUG: KASAN: %s on address ", "KASAN: {0}{access}{in}"},
    {TroubleKind::kKasan, "BUG: KASan: %s on address ", "KASAN: {0}{access}{in}"},
    {TroubleKind::kKasan, "BUG: KASAN: %s on %s", "KASAN: {0}{access}{in}"},
    {TroubleKind::kKasan, "BUG: KASAN: %s", "KASAN: {0}{access}{in}"},
    // mm/kmsan/report.c, kernel/kcsan/report.c, mm/kfence/report.c, lib/ubsan.c
    {TroubleKind::kKmsan, "BUG: KMSAN: %s in %f", "KMSAN: {0}{in}", false, 1},
    {TroubleKind::kKcsan, "BUG: KCSAN: %s in %f / %f", "KCSAN: {0} in {1} / {2}"},
    {TroubleKind::kKcsan, "BUG: KCSAN: %s in %f", "KCSAN: {0} in {1}"},
    {TroubleKind::kKfence, "BUG: KFENCE: %s in %f", "KFENCE: {0}{in}", false, 1},
    {TroubleKind::kKfence, "BUG: KFENCE: %s", "KFENCE: {0}{in}"},
    {TroubleKind::kUbsan, "UBSAN: %s in %s:%d", "UBSAN: {0}{in}"},
    {TroubleKind::kUbsan, "Internal error: UBSAN: %s: %x [#%d]", "UBSAN: {0}{in}"},
    {TroubleKind::kUbsan, "Oops: UBSAN: %s: %x [#%d]", "UBSAN: {0}{in}"},  // as a trap, 6.9
    {TroubleKind::kUbsan, "UBSAN: %s at %f", "UBSAN: {0}{in}"},

    // arch/x86/mm/fault.c, kernel/traps.c, and what other architectures say
    {TroubleKind::kOops, "BUG: unable to handle kernel NULL pointer dereference", kNull},  // to 5.0
    {TroubleKind::kOops, "BUG: kernel NULL pointer dereference, address: ", kNull},
    {TroubleKind::kOops, "BUG: unable to handle kernel paging request", kPaging},
    {TroubleKind::kOops, "BUG: unable to handle page fault for address", kPaging},
    {TroubleKind::kOops, "BUG: unable to handle kernel %s at ", "BUG: unable to handle kernel {0}{in}"},
    {TroubleKind::kOops, "BUG: unable to handle ", "BUG: unable to handle kernel fault{in}"},
    {TroubleKind::kOops, "Unable to handle kernel NULL pointer dereference", kNull},
    {TroubleKind::kOops, "Unable to handle kernel paging request", kPaging},
    {TroubleKind::kOops, "Unable to handle kernel %s at virtual address ", "BUG: unable to handle kernel {0}{in}"},
    {TroubleKind::kOops, "Unable to handle kernel %s at ", "BUG: unable to handle kernel {0}{in}", true},
    {TroubleKind::kOops, "BUG: %s stack guard page was hit at ", "BUG: stack guard page was hit{in}"},
    {TroubleKind::kOops, "BUG: stack guard page was hit at ", "BUG: stack guard page was hit{in}"},
    {TroubleKind::kOops, "kernel stack overflow (%s): %x [#%d]", "kernel stack overflow{in}"},
    {TroubleKind::kOops, "Insufficient stack space to handle exception!", "kernel stack overflow{in}"},  // arm64
    {TroubleKind::kOops, "PANIC: double fault", "PANIC: double fault{in}"},
    {TroubleKind::kOops, "double fault: %x [#%d]", "PANIC: double fault{in}"},
    {TroubleKind::kOops, "Missing ENDBR: ", "Missing ENDBR{in}"},
    {TroubleKind::kOops, "CFI failure at %f", "CFI failure{in}", false, 0},
    {TroubleKind::kOops, "Thread overran stack, or stack corrupted", "kernel stack overflow{in}", true},
    {TroubleKind::kOops, "kernel BUG at ", "kernel BUG{in}"},
    {TroubleKind::kOops, "Kernel BUG at ", "kernel BUG{in}"},
    {TroubleKind::kOops, "BUG: failure at %s:%d/%f()!", "kernel BUG{in}", false, 2},
    {TroubleKind::kOops, "Internal error: %s: %x [#%d]", "Internal error: {0}{in}"},
    {TroubleKind::kOops, "general protection fault%s: %x [#%d]", "general protection fault{in}"},
    {TroubleKind::kOops, "general protection%s: %x [#%d]", "general protection fault{in}"},
    {TroubleKind::kOops, "segment-related general protection fault: %x [#%d]", "general protection fault{in}"},
    {TroubleKind::kOops, "stack segment: %x [#%d]", "stack segment fault{in}"},
    {TroubleKind::kOops, "divide error: %x [#%d]", "divide error{in}"},
    {TroubleKind::kOops, "invalid opcode: %x [#%d]", "invalid opcode{in}"},
    {TroubleKind::kOops, "debug: %x [#%d]", "debug exception{in}"},
    {TroubleKind::kOops, "stack guard page: %x [#%d]", "BUG: stack guard page was hit{in}"},
    {TroubleKind::kOops, "nmi: %x [#%d]", "NMI{in}"},
    {TroubleKind::kOops, "int3: %x [#%d]", "int3{in}"},
    {TroubleKind::kOops, "overflow: %x [#%d]", "overflow exception{in}"},
    {TroubleKind::kOops, "bounds: %x [#%d]", "bounds exception{in}"},
    {TroubleKind::kOops, "device not available: %x [#%d]", "device not available{in}"},
    {TroubleKind::kOops, "unexpected #NM exception: %x [#%d]", "device not available{in}"},
    {TroubleKind::kOops, "coprocessor segment overrun: %x [#%d]", "coprocessor segment overrun{in}"},
    {TroubleKind::kOops, "invalid TSS: %x [#%d]", "invalid TSS{in}"},
    {TroubleKind::kOops, "segment not present: %x [#%d]", "segment not present{in}"},
    {TroubleKind::kOops, "alignment check: %x [#%d]", "alignment check{in}"},
    {TroubleKind::kOops, "simd exception: %x [#%d]", "simd exception{in}"},
    {TroubleKind::kOops, "simd error: %x [#%d]", "simd exception{in}"},
    {TroubleKind::kOops, "fpu exception: %x [#%d]", "fpu exception{in}"},
    {TroubleKind::kOops, "iret exception: %x [#%d]", "iret exception{in}"},
    {TroubleKind::kOops, "control protection fault: %x [#%d]", "control protection fault{in}"},
    {TroubleKind::kOops, "VMM Communication Exception: %x [#%d]", "VMM communication exception{in}"},
    {TroubleKind::kOops, "virtualization exception: %x [#%d]", "virtualization exception{in}"},
    {TroubleKind::kOops, "VE fault: %x [#%d]", "virtualization exception{in}"},
    {TroubleKind::kOops, "Bad pagetable: %x [#%d]", "Bad pagetable{in}"},
    {TroubleKind::kOops, "Split lock detected", "split lock{in}"},
    {TroubleKind::kOops, "Oops: %x [#%d]", "Oops{in}"},
    {TroubleKind::kOops, "Oops: Oops: %x [#%d]", "Oops{in}"},
    {TroubleKind::kOops, "Oops [#%d]", "Oops{in}"},  // riscv
    {TroubleKind::kOops, "Oops[#%d]", "Oops{in}"},   // mips
    {TroubleKind::kOops, "Oops: %s: %x [#%d]", "{0}{in}"},
    {TroubleKind::kOops, "Oops - %s [#%d]", "Oops{in}"},

    // kernel/watchdog*.c, workqueue.c, rcu/, hung_task.c
    {TroubleKind::kSoftLockup, "BUG: soft lockup", "BUG: soft lockup{in}"},
    {TroubleKind::kHardLockup, "Watchdog detected hard LOCKUP on cpu", "BUG: hard lockup{in}"},
    {TroubleKind::kHardLockup, "CPU%d: Watchdog detected hard LOCKUP on cpu", "BUG: hard lockup{in}"},
    {TroubleKind::kHardLockup, "CPU %d self-detected hard LOCKUP", "BUG: hard lockup{in}"},
    {TroubleKind::kHardLockup, "CPU %d detected hard LOCKUP on other CPUs", "BUG: hard lockup{in}"},
    {TroubleKind::kHardLockup, "NMI Watchdog detected LOCKUP on CPU", "BUG: hard lockup{in}"},
    {TroubleKind::kWorkqueueLockup, "BUG: workqueue lockup", "BUG: workqueue lockup"},
    {TroubleKind::kRcuStall, "INFO: rcu%s detected stall", kStall},
    {TroubleKind::kRcuStall, "INFO: rcu%s self-detected stall", kStall},
    {TroubleKind::kRcuStall, "INFO: rcu%s detected expedited stall", kStall},
    {TroubleKind::kRcuStall, "rcu%s kthread starved for %d jiffies", kStall},
    {TroubleKind::kRcuStall, "rcu%s kthread timer wakeup didn't happen for %d jiffies", kStall},
    {TroubleKind::kHungTask, "INFO: task %s:%d blocked for more than %d second", kHang},
    {TroubleKind::kHungTask, "INFO: task %s:%d blocked in I/O wait for more than %d second", kHang},
    {TroubleKind::kHungTask, "INFO: task %s:%d can't die for more than %d second", "INFO: task can't die{in}"},

    // kernel/locking/lockdep.c and rtmutex-debug.c, besides kComplaints
    {TroubleKind::kLockdep, "INFO: trying to register non-static key", "INFO: trying to register non-static key{in}"},
    {TroubleKind::kLockdep, "BUG: key %s has not been registered", "BUG: key has not been registered{in}"},
    {TroubleKind::kLockdep, "BUG: key %s not in .data", "BUG: key not in .data{in}"},
    {TroubleKind::kLockdep, "BUG: looking up invalid subclass", "BUG: looking up invalid subclass{in}"},
    {TroubleKind::kLockdep, "BUG: MAX_%s too low", "BUG: MAX_{0} too low!"},

    // lib/list_debug.c is told by the line before (console_reader.cc). mm/, fs/, kernel/sched/, lib/
    {TroubleKind::kBug, "BUG: spinlock %s on CPU#%d", "BUG: spinlock {0}{in}"},
    {TroubleKind::kBug, "BUG: rwlock %s on CPU#%d", "BUG: rwlock {0}{in}"},
    {TroubleKind::kBug, "BUG: rwlock-lockup on CPU#%d", "BUG: rwlock lockup{in}"},
    {TroubleKind::kBug, "BUG: sleeping function called from invalid context at ",
     "BUG: sleeping function called from invalid context{in}"},
    {TroubleKind::kBug, "BUG: assuming %s context at ", "BUG: assuming {0} context{in}"},
    {TroubleKind::kBug, "BUG: scheduling while atomic", "BUG: scheduling while atomic{in}"},
    {TroubleKind::kBug, "BUG: scheduling in a non-blocking section", "BUG: scheduling in a non-blocking section{in}"},
    {TroubleKind::kBug, "bad: scheduling from the idle thread!", "bad: scheduling from the idle thread{in}"},
    {TroubleKind::kBug, "BUG: using %s in preemptible ", "BUG: using {0} in preemptible code{in}"},
    {TroubleKind::kBug, "BUG: workqueue leaked lock or atomic", "BUG: workqueue leaked lock or atomic{in}"},
    {TroubleKind::kBug, "BUG: workqueue leaked atomic, lock or RCU", "BUG: workqueue leaked lock or atomic{in}"},
    {TroubleKind::kBug, "BUG: Bad rss-counter state", "BUG: Bad rss-counter state"},
    {TroubleKind::kBug, "BUG: non-zero pgtables_bytes on freeing mm", "BUG: non-zero pgtables_bytes on freeing mm"},
    {TroubleKind::kBug, "BUG: non-zero nr_p%s on freeing mm", "BUG: non-zero nr_p{0} on freeing mm"},
    {TroubleKind::kBug, "BUG: Bad page state in process ", "BUG: Bad page state{in}"},
    {TroubleKind::kBug, "BUG: Bad page map in process ", "BUG: Bad page map{in}"},
    {TroubleKind::kBug, "BUG: Bad page cache in process ", "BUG: Bad page cache{in}"},
    {TroubleKind::kBug, "BUG: Bad page map", "BUG: Bad page map{in}"},
    {TroubleKind::kBug, "BUG: Bad page ", "BUG: Bad page{in}"},
    {TroubleKind::kBug, "BUG: Dentry %s still in use (%d) [unmount of %s ",
     "BUG: Dentry still in use [unmount of {1}]"},
    {TroubleKind::kBug, "BUG: Dentry ", "BUG: Dentry still in use"},
    {TroubleKind::kBug, "BUG: mempool element poison mismatch", "BUG: mempool element poison mismatch{in}"},
    {TroubleKind::kMemoryLeak, "BUG: memory leak", "memory leak{in}"},
    {TroubleKind::kMemoryLeak, "unreferenced object 0x%x", "memory leak{in}"},
    {TroubleKind::kMemoryLeak, "unreferenced object (percpu) 0x%x", "memory leak{in}"},
    {TroubleKind::kBug, "BUG %s (Not tainted): %s", "BUG {0}: {1}"},
    {TroubleKind::kBug, "BUG %s (Not tainted ): %s", "BUG {0}: {1}"},
    {TroubleKind::kBug, "BUG %s (Tainted: %s): %s", "BUG {0}: {2}"},
    {TroubleKind::kBug, "slab error in %s(): cache `%s': %s", "slab error: {2}{in}"},
    {TroubleKind::kBug, "Slab corruption%s: %s start=", "slab corruption{in}"},
    {TroubleKind::kBug, "unregister_netdevice: waiting for %s to become free. Usage count = ",
     "unregister_netdevice: waiting for DEV to become free"},

    // kernel/panic.c; arch/x86/kernel/unwind_*.c
    {TroubleKind::kWarning, "WARNING: CPU: %d PID: %d at %s %o", "WARNING{in}", false, 1},
    {TroubleKind::kWarning, "WARNING: CPU: %d PID: %d at %s %f", "WARNING{in}", false, 1},
    {TroubleKind::kWarning, "WARNING: CPU: %d PID: %d at ", "WARNING{in}"},
    {TroubleKind::kWarning, "WARNING: %s:%d at %o, CPU#%d: ", "WARNING{in}", false, 1},  // 6.19
    {TroubleKind::kWarning, "WARNING: at %s:%d %o", "WARNING{in}", false, 1},            // to 3.10
    {TroubleKind::kWarning, "WARNING: at %o, CPU#%d: ", "WARNING{in}", false, 0},
    {TroubleKind::kWarning, "WARNING: kernel stack %s at %s in %s has bad ", "WARNING: kernel stack {0} has bad value"},
    {TroubleKind::kWarning, "WARNING: can't access registers at %f", "WARNING: can't access registers{in}", true, 0},
    {TroubleKind::kWarning, "WARNING: can't dereference %sregisters at %s for ip %f",
     "WARNING: can't dereference registers{in}", true, 2},
    {TroubleKind::kWarning, "WARNING: stack going in the wrong direction? %f",
     "WARNING: stack going in the wrong direction{in}", true, 0},
    {TroubleKind::kWarning, "WARNING: stack recursion on stack type ", "WARNING: stack recursion{in}", true},

    {TroubleKind::kMachineCheck, "[Hardware Error]: CPU %d: Machine Check Exception: ", "machine check exception"},
    {TroubleKind::kMachineCheck, "[Hardware Error]: CPU %d: Machine Check: ", "machine check exception"},

    {TroubleKind::kPanic, "Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: %f",
     "kernel panic: stack is corrupted{in}", false, 0},
    {TroubleKind::kPanic, "Kernel panic - not syncing: corrupted stack end detected inside scheduler",
     "kernel panic: corrupted stack end{in}"},
    {TroubleKind::kPanic, "Kernel panic - not syncing: Attempted to kill init!",
     "kernel panic: Attempted to kill init!"},
    {TroubleKind::kPanic, "Kernel panic - not syncing: VFS: Unable to mount root fs",
     "kernel panic: VFS: Unable to mount root fs"},
    {TroubleKind::kPanic, "Kernel panic - not syncing: panic_on_warn set", "kernel panic: panic_on_warn set"},
    {TroubleKind::kHardLockup, "Kernel panic - not syncing: Watchdog detected hard LOCKUP", "BUG: hard lockup{in}"},
    {TroubleKind::kHardLockup, "Kernel panic - not syncing: Hard LOCKUP", "BUG: hard lockup{in}"},
    {TroubleKind::kPanic, "Kernel panic - not syncing: %s", "kernel panic: {0}"},
    {TroubleKind::kPanic, "Kernel panic - not continuing: %s", "kernel panic: {0}"},
    {TroubleKind::kPanic, "PANIC: early exception ", "PANIC: early exception{in}"},

    {TroubleKind::kBug, "BUG: %s", "BUG: {0}", true},
};

// lockdep.c prints each after "WARNING: ", or, before Linux 4.11, "[ INFO: " or "[ BUG: ".
constexpr Headline kComplaints[] = {
    {TroubleKind::kLockdep, "possible circular locking dependency detected", kDeadlock},
    {TroubleKind::kLockdep, "possible recursive locking detected", kDeadlock},
    {TroubleKind::kLockdep, "possible irq lock inversion dependency detected", kDeadlock},
    {TroubleKind::kLockdep, "HARDIRQ-safe -> HARDIRQ-unsafe lock order detected", kDeadlock},
    {TroubleKind::kLockdep, "SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected", kDeadlock},
    {TroubleKind::kLockdep, "RECLAIM_FS-safe -> RECLAIM_FS-unsafe lock order detected", kDeadlock},
    {TroubleKind::kLockdep, "circular locking deadlock detected", kDeadlock},
    {TroubleKind::kLockdep, "inconsistent lock state", "inconsistent lock state{in}"},
    {TroubleKind::kLockdep, "bad unlock balance detected", "WARNING: bad unlock balance{in}"},
    {TroubleKind::kLockdep, "bad contention detected", "WARNING: bad contention{in}"},
    {TroubleKind::kLockdep, "held lock freed", "WARNING: held lock freed{in}"},
    {TroubleKind::kLockdep, "lock held when returning to user space",
     "WARNING: lock held when returning to user space{in}"},
    {TroubleKind::kLockdep, "lock held at task exit time", "WARNING: still has locks held{in}"},
    {TroubleKind::kLockdep, "Nested lock was not taken", "WARNING: Nested lock was not taken{in}"},
    {TroubleKind::kLockdep, "chain_key collision", "WARNING: chain_key collision{in}"},
    {TroubleKind::kLockdep, "Invalid wait context", "BUG: Invalid wait context{in}"},
    {TroubleKind::kLockdep, "suspicious RCU usage", "WARNING: suspicious RCU usage{in}"},
    {TroubleKind::kLockdep, "suspicious rcu_dereference_check() usage", "WARNING: suspicious RCU usage{in}"},
    {TroubleKind::kLockdep, "%s/%d still has locks held!", "WARNING: still has locks held{in}"},
};

// Names of subsystems that pr_fmt() puts before the words (rcu, watchdog, lockdep, x86/traps, mm/slub, the MCE code).
constexpr std::string_view kSubsystems[] = {
    "rcu: ",       "watchdog: ", "NMI watchdog: ", "workqueue: ", "traps: ", "kmemleak: ", "lockdep: ",
    "hung_task: ", "slub: ",     "SLUB: ",         "slab: ",      "fred: ",  "mce: ",      "x86/split lock detection: ",
    "SEV: ",       "Watchdog: ",
};

constexpr std::array<std::pair<TroubleKind, std::string_view>, 17> kNames = {{
    {TroubleKind::kKasan, "kasan"},
    {TroubleKind::kKmsan, "kmsan"},
    {TroubleKind::kKcsan, "kcsan"},
    {TroubleKind::kKfence, "kfence"},
    {TroubleKind::kUbsan, "ubsan"},
    {TroubleKind::kOops, "oops"},
    {TroubleKind::kBug, "bug"},
    {TroubleKind::kWarning, "warning"},
    {TroubleKind::kLockdep, "lockdep"},
    {TroubleKind::kSoftLockup, "soft-lockup"},
    {TroubleKind::kHardLockup, "hard-lockup"},
    {TroubleKind::kWorkqueueLockup, "workqueue-lockup"},
    {TroubleKind::kRcuStall, "rcu-stall"},
    {TroubleKind::kHungTask, "hung-task"},
    {TroubleKind::kMemoryLeak, "memory-leak"},
    {TroubleKind::kMachineCheck, "machine-check"},
    {TroubleKind::kPanic, "panic"},
}};

std::optional<FoundHeadline> Match(std::span<const Headline> headlines, std::string_view text, bool marked) {
  for (const Headline& headline : headlines) {
    if (headline.needs_mark && !marked) continue;
    std::optional<LineParts> parts = MatchLine(text, headline.format);
    if (parts.has_value()) return FoundHeadline{&headline, *std::move(parts)};
  }
  return std::nullopt;
}

}  // namespace

std::string_view TroubleKindName(TroubleKind kind) {
  const auto* const found =
      std::find_if(kNames.begin(), kNames.end(), [kind](const auto& n) { return n.first == kind; });
  return found == kNames.end() ? "unknown" : found->second;
}

std::optional<FoundHeadline> FindHeadline(std::string_view text, bool marked) {
  for (const std::string_view subsystem : kSubsystems) {
    if (SkipPrefix(text, subsystem)) break;
  }
  std::string_view complaint = text;
  if (SkipPrefix(complaint, "WARNING: ") || SkipPrefix(complaint, "[ INFO: ") || SkipPrefix(complaint, "[ BUG: ") ||
      SkipPrefix(complaint, "INFO: ") || SkipPrefix(complaint, "BUG: ")) {
    if (auto found = Match(kComplaints, complaint, marked)) return found;
  }
  // Since 6.10, "Oops: " stands before the exception's name.
  std::string_view exception = text;
  if (SkipPrefix(exception, "Oops: ")) {
    auto found = Match(kHeadlines, exception, marked);
    if (found.has_value() && found->headline->kind == TroubleKind::kOops) return found;
  }
  return Match(kHeadlines, text, marked);
}

}  // namespace vmm
