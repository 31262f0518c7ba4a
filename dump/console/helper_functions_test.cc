#include "dump/console/helper_functions.h"

#include <map>
#include <string>

#include "gtest/gtest.h"

namespace vmm {
namespace {

// Some functions of each group, as they stand in traces, and some that must not be taken for one of the group.
TEST(HelperFunctionsTest, EachGroupHasItsFunctions) {
  const std::map<std::string_view, std::vector<std::string_view>> expected = {
      {"reporting",
       {"dump_stack_lvl", "panic", "__warn", "warn_slowpath_fmt", "report_bug", "exc_page_fault",
        "asm_exc_invalid_op"}},
      {"detectors",
       {"kasan_report", "__asan_load8", "kmsan_report", "__msan_warning", "kcsan_setup_watchpoint", "__tsan_read4",
        "__kfence_free", "ubsan_epilogue", "__ubsan_handle_shift_out_of_bounds", "lockdep_rcu_suspicious",
        "debug_print_object", "usercopy_abort", "__list_del_entry_valid_or_report", "__might_resched"}},
      {"locks",
       {"_raw_spin_lock_irqsave", "__mutex_lock", "down_write", "lock_acquire", "refcount_warn_saturate", "atomic_inc",
        "kref_put"}},
      {"allocators",
       {"kmalloc_trace", "__kmalloc_cache_noprof", "kmem_cache_free", "kfree", "vfree", "__alloc_pages", "kmemdup",
        "__alloc_skb", "pcpu_alloc"}},
      {"memory and strings",
       {"memcpy", "memset_erms", "strlen", "strscpy", "_copy_from_user", "copy_user_generic_string", "rb_erase",
        "find_next_bit"}},
      {"printing", {"_printk", "vprintk_emit", "console_unlock", "vsnprintf", "serial8250_console_write"}},
      {"scheduler",
       {"__schedule", "schedule_timeout", "io_schedule", "wait_for_completion", "msleep", "__wait_on_bit"}},
      {"interrupts",
       {"nmi_cpu_backtrace", "rcu_sched_clock_irq", "update_process_times", "hrtimer_interrupt",
        "asm_sysvec_apic_timer_interrupt", "apic_timer_interrupt", "watchdog_timer_fn"}},
      {"entry", {"do_syscall_64", "entry_SYSCALL_64_after_hwframe", "ret_from_fork_asm", "el0_svc"}},
  };
  ASSERT_EQ(HelperGroups().size(), expected.size());
  for (const HelperGroup& group : HelperGroups()) {
    const auto found = expected.find(group.reason);
    ASSERT_NE(found, expected.end()) << group.reason;
    for (const std::string_view function : found->second) {
      EXPECT_TRUE(IsHelperFunction(function)) << group.reason << ": " << function;
      bool in_group = false;
      for (const std::string_view name : group.names) {
        in_group |= name.ends_with('*') ? function.starts_with(name.substr(0, name.size() - 1)) : function == name;
      }
      EXPECT_TRUE(in_group) << group.reason << ": " << function;
    }
  }
}

TEST(HelperFunctionsTest, WhatDoesItsOwnWorkIsNoHelper) {
  for (const std::string_view function :
       {"ext4_writepages", "tcp_sendmsg", "sysrq_handle_crash", "sys_read", "vfs_read", "do_exit", "flush_work",
        "console", "synchronize_rcu", "do_idle", "process_one_work", "kthread", "lock_sock_nested", "rtnl_lock",
        "page_cache_ra_unbounded", "mutexes", "kobject_put"}) {
    EXPECT_FALSE(IsHelperFunction(function)) << function;
  }
}

TEST(HelperFunctionsTest, TheFunctionsThatStartWorkAreKnown) {
  for (const std::string_view function :
       {"do_syscall_64", "process_one_work", "kthread", "do_one_initcall", "call_timer_fn"}) {
    EXPECT_TRUE(StartsWork(function)) << function;
  }
  EXPECT_FALSE(StartsWork("sys_read"));
}

}  // namespace
}  // namespace vmm
