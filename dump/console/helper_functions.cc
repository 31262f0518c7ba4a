#include "dump/console/helper_functions.h"

#include <algorithm>

namespace vmm {
namespace {

// One name a line would hide the groups.
// clang-format off

// They print the report, or bring the CPU to the place that does (kernel/panic.c, lib/bug.c, lib/dump_stack.c,
// arch/*/kernel/{traps,dumpstack,entry}, arch/*/mm/fault.c).
constexpr std::string_view kReporting[] = {
    "dump_stack*", "__dump_stack", "show_stack*", "dump_backtrace*", "show_regs*", "__show_regs",
    "unwind_backtrace", "panic", "vpanic", "nmi_panic", "__warn*", "warn_slowpath_*", "warn_bogus_irq_restore",
    "report_bug*", "__report_bug", "fixup_bug*", "is_valid_bugaddr", "die", "__die*", "die_addr", "oops_*",
    "crash_kexec", "__crash_kexec", "machine_kexec", "crash_save_cpu", "check_panic_on_warn", "end_report*",
    "do_error_trap*", "do_trap*", "do_invalid_op*", "invalid_op", "handle_bug*", "handle_invalid_op",
    "handle_stack_overflow", "exc_*", "asm_exc_*", "do_general_protection", "general_protection", "do_divide_error",
    "divide_error", "do_double_fault", "double_fault", "do_int3", "int3", "do_stack_segment", "stack_segment",
    "no_context*", "kernelmode_fixup_or_oops*", "page_fault_oops*", "__bad_area*", "bad_area*", "__do_kernel_fault",
    "do_kern_addr_fault", "do_user_addr_fault", "__do_page_fault", "do_page_fault", "trace_do_page_fault",
    "trace_page_fault", "do_async_page_fault", "async_page_fault", "handle_page_fault", "page_fault",
    "early_idt_handler*", "do_early_exception", "early_fixup_exception", "error_entry", "error_exit", "error_code",
    "common_exception", "do_mem_abort", "do_translation_fault", "do_DataAbort", "do_PrefetchAbort", "__dabt_svc",
    "el1_*", "el1h_*", "do_debug_exception", "brk_handler", "bug_handler", "bug_brk_handler", "call_break_hook",
    "die_kernel_fault", "__stack_chk_fail", "do_sea", "ret_from_exception", "trap_init", "irqentry_enter",
    "do_undefinstr*", "bad_page", "bad_page_reason", "print_bad_pte", "print_bad_page_map", "__schedule_bug",
    "schedule_debug*", "__crash_*", "BUG_func", "nmi_handle", "default_do_nmi", "do_nmi", "end_repeat_nmi",
    "asm_exc_nmi", "nmi", "fail_dump", "__show_trace*",
};

// KASAN, KMSAN, KCSAN, KFENCE, UBSAN, KCOV, lockdep, SLUB's checks, DEBUG_LIST, DEBUG_OBJECTS, hardened usercopy and
// kmemleak: they found the fault, and did not make it.
constexpr std::string_view kDetectors[] = {
    "kasan_*", "__kasan_*", "__asan_*", "asan_*", "__hwasan_*", "print_address_description*", "print_report*",
    "print_error_description", "print_track", "check_memory_region*", "memory_is_poisoned*", "bytes_is_nonzero",
    "report_error*", "object_err", "slab_err*", "slab_bug*", "slab_fix", "slab_pad_check*", "slab_error*",
    "check_bytes_and_report", "check_object*", "check_slab", "on_freelist", "print_trailer",
    "alloc_debug_processing", "free_debug_processing", "alloc_consistency_checks", "free_consistency_checks",
    "validate_slab*", "kmsan_*", "__kmsan_*", "__msan_*", "kcsan_*", "__kcsan_*", "__tsan_*",
    "set_other_info_task_blocking*", "kfence_*", "__kfence_*", "check_canary*", "ubsan_*", "__ubsan_*",
    "handle_overflow", "val_to_string", "__sanitizer_cov_*", "write_comp_data", "check_kcov_mode", "kcov_*",
    "instrument_*", "lockdep_*", "__lockdep_*", "print_circular_bug*", "print_deadlock_bug*", "print_usage_bug*",
    "print_irq_inversion_bug*", "print_bad_irq_dependency*", "print_unlock_imbalance_bug*",
    "print_lock_invalid_wait_context*", "print_freed_lock_bug*", "print_held_locks_bug*",
    "print_lock_nested_lock_not_held*", "print_shortest_lock_dependencies*", "print_lock_contention_bug*",
    "print_collision", "check_noncircular*", "check_deadlock*", "check_prev_add*", "check_prevs_add*",
    "check_irq_usage*", "check_usage*", "check_wait_context*", "check_chain_key", "check_path*", "check_no_locks*",
    "check_flags*", "debug_check_no_locks*", "debug_check_no_obj_freed", "__debug_check_no_obj_freed",
    "debug_check_no_locks_*", "validate_chain*", "mark_lock*", "mark_held_locks*", "mark_usage*", "valid_state*",
    "register_lock_class*", "assign_lock_key*", "add_lock_to_list", "debug_print_object*", "debug_object_*",
    "__debug_object_*", "lookup_object_or_alloc*", "debug_timer_*", "debug_hrtimer_*", "debug_work_*",
    "debug_rcu_*", "debug_spin_*", "debug_write_*", "debug_read_*", "do_raw_spin_*", "do_raw_read_*",
    "do_raw_write_*", "spin_bug", "spin_dump", "rwlock_bug*", "__list_add_valid*", "__list_del_entry_valid*",
    "__list_add*", "__list_del*", "list_add*", "list_del*", "list_move*", "check_data_corruption",
    "usercopy_abort*", "usercopy_warn", "report_usercopy", "__check_object_size*", "check_object_size",
    "__check_heap_object*", "check_heap_object*", "check_stack_object", "check_bogus_address", "check_copy_size",
    "kmemleak_*", "rcu_lockdep_*", "fortify_panic", "__fortify_*", "skb_panic", "skb_over_panic", "skb_under_panic",
    "debug_smp_processor_id", "__this_cpu_preempt_check", "check_preemption_disabled", "warn_on_*", "kunit_*",
    "debug_lockdep_rcu_enabled", "__warn_thunk", "__cfi_*", "cfi_*", "report_cfi_failure", "handle_cfi_failure",
    "__might_*", "___might_*", "might_*", "debug_assert_*", "dump_page*", "__dump_page*", "VM_BUG_*",
    "debug_mutex_*", "debug_rt_mutex_*", "debug_check_*", "debug_locks_off", "check_preempt_wakeup_lock",
};

// Locks, atomics, reference counts and memory barriers: their caller holds or counts.
constexpr std::string_view kLocks[] = {
    "_raw_spin_*", "__raw_spin_*", "_raw_read_*", "_raw_write_*", "__raw_read_*", "__raw_write_*", "spin_lock*",
    "spin_unlock*", "spin_trylock*", "_spin_*", "read_lock*", "read_unlock*", "write_lock*", "write_unlock*",
    "queued_spin_lock_slowpath", "native_queued_spin_lock_slowpath", "__pv_queued_spin_lock_slowpath",
    "pv_queued_spin_lock_slowpath", "queued_read_lock_slowpath", "queued_write_lock_slowpath",
    "queue_read_lock_slowpath", "queue_write_lock_slowpath", "pv_wait*", "kvm_wait", "__pv_queued_spin_unlock*",
    "virt_spin_lock", "mcs_spin_lock", "osq_lock", "osq_unlock", "mutex_lock*", "mutex_unlock", "mutex_trylock*",
    "__mutex_*", "mutex_optimistic_spin", "mutex_spin_on_owner", "down", "up", "down_read*", "down_write*",
    "down_interruptible", "down_killable", "down_timeout", "down_trylock", "__down*", "up_read*", "up_write*",
    "__up*", "rwsem_*", "__rwsem_*", "call_rwsem_*", "rwbase_*", "rt_mutex_*", "__rt_mutex_*", "rt_spin_*",
    "__rt_spin_*", "rt_read_*", "rt_write_*", "rtlock_*", "task_blocks_on_rt_mutex", "rwlock_*", "ww_mutex_*",
    "__ww_mutex_*", "percpu_down_*", "__percpu_down_*", "percpu_up_*", "__percpu_rwsem_*", "percpu_rwsem_*",
    "lock_acquire*", "__lock_acquire*", "lock_release*", "__lock_release*", "lock_acquired", "lock_contended",
    "lock_is_held*", "__lock_is_held", "lock_downgrade", "lock_pin_lock", "lock_unpin_lock", "lock_set_class",
    "__lock_set_class", "seqcount_*", "read_seqcount_*", "write_seqcount_*", "do_write_seqcount_*", "read_seqbegin",
    "write_seqlock*", "__bit_spin_*", "bit_spin_*", "arch_spin_*", "arch_local_*", "local_irq_*",
    "trace_hardirqs_*", "trace_softirqs_*", "__trace_hardirqs_*", "atomic_*", "atomic64_*", "atomic_long_*",
    "arch_atomic*", "raw_atomic*", "__atomic_*", "refcount_*", "__refcount_*", "kref_get*", "kref_put*", "kref_sub",
    "kref_init", "test_bit", "set_bit", "clear_bit", "test_and_*", "_test_bit", "__set_bit", "__clear_bit",
    "constant_test_bit", "variable_test_bit", "arch_test_bit", "arch_set_bit", "arch_clear_bit", "const_test_bit",
    "__xchg", "__cmpxchg", "__read_once_size*", "__write_once_size*", "read_word_at_a_time*", "rcu_read_lock*",
    "rcu_read_unlock*", "__rcu_read_lock", "__rcu_read_unlock", "rcu_lock_acquire", "rcu_lock_release",
    "srcu_read_*", "__srcu_read_*", "srcu_lock_*", "rcu_dereference*", "preempt_count_*", "__local_bh_*",
    "local_bh_*", "_local_bh_*", "__preempt_count_*", "get_current", "smp_processor_id",
};

// Memory that is allocated or freed for a caller: slab, pages, vmalloc, per-CPU, duplicates, socket buffers.
constexpr std::string_view kAllocators[] = {
    "kmalloc*", "__kmalloc*", "__do_kmalloc*", "kzalloc*", "kcalloc*", "kmem_cache_*", "__kmem_cache_*", "kfree",
    "kfree_sensitive", "kzfree", "kfree_const", "__kfree", "__cache_free", "__cache_alloc*", "___cache_free",
    "cache_alloc*", "cache_grow*", "cache_free*", "slab_alloc*", "slab_post_alloc*", "slab_free*",
    "slab_pre_alloc*", "__slab_alloc*", "___slab_alloc*", "__slab_free*", "do_slab_free*", "do_slab_alloc*",
    "slab_destroy*", "new_slab*", "allocate_slab*", "alloc_slab*", "discard_slab", "free_slab", "__free_slab",
    "setup_object*", "qlist_free*", "qlink_free", "quarantine_*", "slob_*", "memcg_slab_*", "memcg_alloc_*",
    "obj_cgroup_*", "alloc_pages*", "__alloc_pages*", "__alloc_frozen_pages*", "alloc_frozen_pages*", "alloc_page",
    "alloc_page_*", "__get_free_page*", "get_free_page*", "get_zeroed_page*", "get_page_from_freelist",
    "prep_new_page", "post_alloc_hook", "rmqueue*", "__rmqueue*", "free_pages*", "__free_pages*", "___free_pages*",
    "free_page", "__free_page", "free_the_page", "free_frozen_page*", "__free_frozen_page*", "free_unref_*",
    "__free_one_page", "free_one_page", "free_pcppages_bulk", "free_hot_cold_page*", "page_frag_alloc*",
    "__page_frag_*", "page_frag_free", "folio_alloc*", "__folio_alloc*", "vma_alloc_folio*", "folio_alloc_mpol*",
    "alloc_slab_page", "free_large_kmalloc", "free_nonslab_page", "vmalloc*", "__vmalloc*", "vzalloc*", "vfree*",
    "__vfree*", "vunmap", "__vunmap", "kvmalloc*", "__kvmalloc*", "kvzalloc", "kvcalloc", "kvfree*", "krealloc*",
    "__krealloc", "__do_krealloc", "kmemdup*", "__kmemdup*", "kstrdup*", "kstrndup", "kasprintf", "kvasprintf*",
    "memdup_*", "strndup_user", "vmemdup_user", "pcpu_alloc*", "__alloc_percpu*", "free_percpu", "mempool_alloc*",
    "mempool_free*", "mempool_kmalloc", "mempool_kfree", "devm_kmalloc*", "devm_kzalloc", "devm_kasprintf",
    "__alloc_skb*", "alloc_skb*", "__build_skb*", "build_skb*", "__napi_alloc_skb", "napi_alloc_skb",
    "__netdev_alloc_skb", "netdev_alloc_skb*", "kmalloc_reserve*", "sock_alloc_send_*", "sock_wmalloc",
    "kfree_skb*", "__kfree_skb", "consume_skb", "kfree_skbmem", "skb_free_head", "skb_release_*",
    "sk_skb_reason_drop", "skb_put*", "skb_push*", "skb_pull*", "__skb_put*", "__skb_push*", "__skb_pull*",
    "skb_copy_*", "rcu_free_slab", "kfree_rcu*", "kvfree_rcu*", "___kmalloc*", "alloc_large_kmalloc", "__ksize",
    "ksize", "zalloc_percpu",
};

// Copies, comparisons, searches and arithmetic over memory and strings; user memory; bitmaps, trees and lists.
constexpr std::string_view kMemoryAndStrings[] = {
    "memcpy*", "__memcpy*", "memmove*", "__memmove*", "memset*", "__memset*", "memcmp", "__memcmp", "memchr*",
    "memscan", "bcmp", "rep_movs_alternative", "rep_stos_alternative", "memzero_explicit", "strlen", "strnlen",
    "__strlen", "__strnlen", "strcpy", "strncpy", "strlcpy", "strscpy*", "sized_strscpy", "__strscpy", "strcat",
    "strncat", "strlcat", "strcmp", "strncmp", "strcasecmp", "strncasecmp", "strchr*", "strrchr", "strnchr",
    "strstr", "strnstr", "strsep", "strspn", "strcspn", "strpbrk", "skip_spaces", "strim", "copy_to_user*",
    "copy_from_user*", "_copy_to_user", "_copy_from_user", "__copy_to_user*", "__copy_from_user*", "raw_copy_*",
    "copy_user_*", "copy_user_generic*", "__copy_user_*", "__clear_user", "clear_user*", "_inline_copy_*",
    "copy_page*", "copy_mc_*", "clear_page*", "__get_user*", "__put_user*", "get_user*", "put_user*",
    "strncpy_from_*", "do_strncpy_from_user", "strnlen_user", "_copy_to_iter", "_copy_from_iter*", "copy_to_iter",
    "copy_from_iter*", "__copy_to_iter", "copyin", "copyout", "copy_page_to_iter*", "copy_page_from_iter*",
    "iterate_and_advance*", "copy_folio_*", "memcpy_to_*", "memcpy_from_*", "copy_struct_*", "csum_partial*",
    "do_csum", "__csum_*", "crc32*", "crc_*", "__crc32*", "crypto_memneq", "__crypto_memneq", "find_next_*",
    "find_first_*", "_find_*", "__find_*", "find_last_bit", "__bitmap_*", "bitmap_*", "hweight*", "__sw_hweight*",
    "rb_erase*", "rb_insert_*", "__rb_*", "____rb_*", "rb_next", "rb_first", "rb_prev", "rb_last", "rb_link_node",
    "hlist_*", "__hlist_*", "llist_*", "plist_*", "sort", "sort_r", "bsearch", "get_unaligned*", "__get_unaligned*",
    "put_unaligned*", "__put_unaligned*", "ERR_PTR", "IS_ERR", "PTR_ERR",
};

// Printing (kernel/printk/, lib/vsprintf.c): its caller had something to say.
constexpr std::string_view kPrinting[] = {
    "printk*", "_printk*", "vprintk*", "__printk_*", "console_*", "__console_*", "call_console_drivers*",
    "devkmsg_*", "dev_printk*", "__dev_printk", "_dev_*", "__dynamic_*", "vsnprintf", "vsprintf", "vscnprintf",
    "snprintf", "sprintf", "scnprintf", "seq_printf", "seq_vprintf", "string", "string_nocheck", "pointer",
    "number", "hex_string", "hex_dump_to_buffer", "print_hex_dump*", "symbol_string*", "dentry_name",
    "error_string", "serial8250_console_*", "univ8250_*", "uart_console_write", "io_serial_in", "io_serial_out",
    "wait_for_xmitr", "early_serial_*", "netconsole_*", "write_msg", "nbcon_*", "wait_for_lsr", "mem_serial_*",
};

// The scheduler's own functions and plain waiting: a task that hangs is always in them.
constexpr std::string_view kScheduler[] = {
    "schedule*", "__schedule*", "context_switch", "io_schedule*", "preempt_schedule*", "___preempt_schedule*",
    "__cond_resched*", "_cond_resched", "cond_resched*", "__switch_to*", "finish_task_switch*", "do_task_dead",
    "wait_for_completion*", "__wait_for_common*", "wait_for_common*", "do_wait_for_common", "wait_for_common_io",
    "bit_wait*", "__wait_on_bit*", "wait_on_bit*", "out_of_line_wait_on_*", "__wait_on_buffer", "__wait_event*",
    "prepare_to_wait*", "finish_wait", "wait_woken", "msleep*", "usleep_range*", "do_nanosleep",
    "hrtimer_nanosleep", "preempt_*", "try_to_wake_up", "wake_up_*", "__wake_up*", "default_wake_function",
    "complete", "complete_all", "swake_up_*", "sched_show_task", "show_state_filter", "debug_show_all_locks",
    "check_hung_uninterruptible_tasks*", "hung_task_*", "io_schedule_timeout", "rwsem_down_*", "irqentry_exit*",
    "raw_irqentry_exit*",
};

// What brings a timer, an interrupt or an NMI to the watchdogs that look for stalls, and these watchdogs themselves.
constexpr std::string_view kInterrupts[] = {
    "nmi_cpu_backtrace*", "nmi_trigger_*", "arch_trigger_*", "trigger_all_cpu_backtrace*",
    "trigger_allbutcpu_cpu_backtrace", "trigger_single_cpu_backtrace*", "trigger_cpumask_backtrace",
    "nmi_raise_cpu_backtrace", "perf_event_nmi_handler", "perf_event_overflow", "__perf_event_overflow",
    "perf_swevent_overflow", "intel_pmu_handle_irq", "amd_pmu_handle_irq", "x86_pmu_handle_irq",
    "arch_perf_nmi_handler", "rcu_dump_cpu_stacks", "rcu_sched_clock_irq*", "rcu_check_callbacks", "rcu_pending",
    "__rcu_pending", "check_cpu_stall*", "print_cpu_stall*", "print_other_cpu_stall*", "rcu_check_gp_*",
    "rcu_stall_*", "update_process_times*", "tick_sched_*", "tick_nohz_handler", "tick_nohz_irq_*", "tick_periodic",
    "tick_handle_periodic*", "tick_irq_enter", "hrtimer_interrupt", "__run_hrtimer*", "__hrtimer_run_queues*",
    "hrtimer_run_queues", "local_apic_timer_interrupt", "smp_apic_timer_interrupt",
    "smp_trace_apic_timer_interrupt", "apic_timer_interrupt", "trace_apic_timer_interrupt", "sysvec_*",
    "__sysvec_*", "asm_sysvec_*", "instr_sysvec_*", "smp_reschedule_interrupt", "reschedule_interrupt",
    "scheduler_ipi", "smp_call_function_interrupt", "smp_call_function_single_interrupt", "call_function_interrupt",
    "call_function_single_interrupt", "generic_smp_call_function_*", "flush_smp_call_function_*",
    "__flush_smp_call_function_*", "watchdog_timer_fn*", "watchdog_overflow_callback*", "watchdog_hardlockup_*",
    "watchdog", "is_softlockup", "asm_common_interrupt", "common_interrupt", "__common_interrupt", "do_IRQ",
    "ret_from_intr", "handle_irq", "handle_edge_irq", "handle_level_irq", "handle_fasteoi_irq", "handle_irq_event*",
    "generic_handle_irq*", "irq_exit*", "__irq_exit_rcu", "irq_enter*", "exiting_irq", "entering_irq",
    "retint_kernel", "restore_regs_and_iret", "do_softirq*", "call_on_stack", "run_irq_workload", "native_apic_*",
    "x2apic_*", "default_send_IPI_*", "__x2apic_*", "arch_irq_work_*", "irq_work_*", "profile_tick",
    "account_process_tick", "timekeeping_*", "ktime_get*", "__irqentry_text_start", "__irqentry_text_end",
    "__do_softirq", "handle_softirqs", "__softirqentry_text_start", "arch_timer_handler_*",
    "handle_percpu_devid_irq", "gic_handle_irq", "__handle_domain_irq", "do_interrupt_handler",
};

// The way in from user mode and the bottom of each stack.
constexpr std::string_view kEntry[] = {
    "do_syscall_64", "do_syscall_x64", "do_int80_*", "do_fast_syscall_32", "do_syscall_32*", "__do_fast_syscall_32",
    "do_SYSENTER_32", "entry_*", "system_call*", "sysenter_*", "ia32_*", "x64_sys_call", "ia32_sys_call",
    "x32_sys_call", "stub_*", "tracesys*", "int_ret_from_sys_call", "syscall_return_*", "return_from_SYSCALL_64",
    "ret_from_fork*", "ret_from_kernel_thread", "secondary_startup_64*", "start_secondary", "el0_*", "el0t_*",
    "el0_svc*", "invoke_syscall*", "do_el0_svc", "__invoke_syscall", "ret_fast_syscall", "handle_exception",
    "do_trap_ecall_*", "kernel_thread_*", "syscall_exit_*", "__syscall_exit_*", "exit_to_user_mode*",
    "prepare_exit_to_usermode", "common_startup_64",
};

// They call the work that others defined.
constexpr std::string_view kStarters[] = {
    "do_syscall_64", "do_syscall_x64", "do_int80_*", "do_fast_syscall_32", "do_syscall_32*", "__do_fast_syscall_32",
    "entry_*", "x64_sys_call", "ia32_sys_call", "invoke_syscall*", "el0_svc*", "system_call*", "process_one_work",
    "process_scheduled_works", "worker_thread", "kthread", "kthread_worker_fn", "smpboot_thread_fn",
    "ret_from_fork*", "do_one_initcall", "call_timer_fn", "expire_timers", "__run_timers*", "run_timer_softirq",
    "run_timer_base", "tasklet_action*", "__do_softirq", "handle_softirqs", "rcu_do_batch", "rcu_core*",
    "__handle_irq_event_percpu", "handle_irq_event*", "task_work_run", "irq_work_run*", "irq_work_single",
    "call_usermodehelper_exec_async", "cpu_startup_entry", "do_idle", "cpu_idle_loop", "start_kernel",
};
// clang-format on

constexpr HelperGroup kGroups[] = {
    {"reporting", kReporting},
    {"detectors", kDetectors},
    {"locks", kLocks},
    {"allocators", kAllocators},
    {"memory and strings", kMemoryAndStrings},
    {"printing", kPrinting},
    {"scheduler", kScheduler},
    {"interrupts", kInterrupts},
    {"entry", kEntry},
};

bool Has(std::span<const std::string_view> names, std::string_view function) {
  return std::any_of(names.begin(), names.end(), [function](std::string_view name) {
    return name.ends_with('*') ? function.starts_with(name.substr(0, name.size() - 1)) : function == name;
  });
}

}  // namespace

std::span<const HelperGroup> HelperGroups() { return kGroups; }

bool IsHelperFunction(std::string_view function) {
  return std::any_of(std::begin(kGroups), std::end(kGroups),
                     [function](const HelperGroup& group) { return Has(group.names, function); });
}

bool MayBeBlamed(std::string_view function) {
  return std::none_of(std::begin(kGroups), std::end(kGroups), [function](const HelperGroup& group) {
    const bool serves = group.reason == "locks" || group.reason == "allocators" || group.reason == "memory and strings";
    return !serves && Has(group.names, function);
  });
}

bool StartsWork(std::string_view function) { return Has(kStarters, function); }

}  // namespace vmm
