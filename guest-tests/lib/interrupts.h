// GDT, TSS and IDT, and what happens when a CPU is interrupted.
#ifndef GUEST_TESTS_LIB_INTERRUPTS_H_
#define GUEST_TESTS_LIB_INTERRUPTS_H_

#include <stdbool.h>
#include <stdint.h>

#define MAX_CPUS 256

// As start.S leaves it on the stack. A handler may change it: that is what the CPU goes on with.
struct interrupt_frame {
  uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
  uint64_t vector, error;
  uint64_t rip, cs, rflags, rsp, ss;
};

typedef void (*interrupt_handler)(struct interrupt_frame*);

// Loads the IDT, which all share, and GDT and TSS of CPU number `cpu` (0 is the first) on the CPU that calls.
void load_tables(unsigned cpu);

// From now on `handler` is called for this vector, on every CPU. An exception or interrupt without a handler
// is reported and ends the guest with status UNEXPECTED_INTERRUPT.
void on_interrupt(uint8_t vector, interrupt_handler handler);
void unexpected_interrupt(const struct interrupt_frame* frame) __attribute__((noreturn));
#define UNEXPECTED_INTERRUPT 99

// Where an interrupt from CPL 3 finds its stack.
uint64_t* tss_rsp0(unsigned cpu);

#endif  // GUEST_TESTS_LIB_INTERRUPTS_H_
