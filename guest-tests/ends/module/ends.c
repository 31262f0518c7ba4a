// Ways for a kernel to die that need code of their own: insmod ends.ko how=NAME.
//
// The loops and the deadlock never return. After an oops or a warning the insmod ends or continues, unless the kernel
// must panic then (panic_on_oops, panic_on_warn).
#include <asm/desc.h>
#include <linux/completion.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/preempt.h>

MODULE_LICENSE("GPL");

static char* how = "";
module_param(how, charp, 0);

static noinline void null_pointer(void) { *(volatile int*)NULL = 0; }

static noinline void bug(void) { BUG(); }

static noinline void warning(void) { WARN(1, "a warning of ends.ko"); }

// Deeper than any stack. The volatile array keeps the compiler from turning this into a loop.
static noinline int stack_overflow(int calls) {
  volatile char frame[1024];

  frame[calls % sizeof(frame)] = calls;
  return calls == 0 ? 0 : stack_overflow(calls - 1) + frame[0];
}

// A hard lockup: the CPU does not even take timer interrupts.
static noinline void loop_without_interrupts(void) {
  local_irq_disable();
  while (true) cpu_relax();
}

// A soft lockup: the CPU takes timer interrupts, but never runs another task.
static noinline void loop_without_preemption(void) {
  preempt_disable();
  while (true) cpu_relax();
}

// A deadlock: the task waits for something that only it could do. With a mutex taken twice, PREEMPT_RT notices that,
// and leaves the task in a sleep that no watchdog counts.
static DECLARE_COMPLETION(never);

static noinline void wait_for_itself(void) {
  wait_for_completion(&never);
  complete(&never);
}

// An exception without a table to find its handler in, for it or for the two faults that follow.
static noinline void triple_fault(void) {
  const struct desc_ptr none = {};

  load_idt(&none);
  asm volatile("int3");
}

static int __init ends_init(void) {
  if (!strcmp(how, "null-pointer")) null_pointer();
  if (!strcmp(how, "bug")) bug();
  if (!strcmp(how, "warning")) warning();
  if (!strcmp(how, "stack-overflow")) stack_overflow(1 << 20);
  if (!strcmp(how, "hard-lockup")) loop_without_interrupts();
  if (!strcmp(how, "soft-lockup")) loop_without_preemption();
  if (!strcmp(how, "deadlock")) wait_for_itself();
  if (!strcmp(how, "triple-fault")) triple_fault();
  return -EINVAL;  // nobody needs to keep the module
}
module_init(ends_init);
