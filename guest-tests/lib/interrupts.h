// GDT, TSS and IDT, and the handling of interrupts.
#ifndef GUEST_TESTS_LIB_INTERRUPTS_H_
#define GUEST_TESTS_LIB_INTERRUPTS_H_

#include <stdbool.h>
#include <stdint.h>

#define MAX_CPUS 256

// As start.S leaves it on the stack. A handler may change it: the CPU continues with the changed values.
struct interrupt_frame {
  uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
  uint64_t vector, error;
  uint64_t rip, cs, rflags, rsp, ss;
};

typedef void (*interrupt_handler)(struct interrupt_frame*);

// On the calling CPU, loads the IDT, which all CPUs share, and the GDT and TSS of CPU number `cpu` (0: the first).
void load_tables(unsigned cpu);

// Calls `handler` for this vector from now on, on every CPU. An exception or interrupt without a handler is reported
// and ends the guest with status UNEXPECTED_INTERRUPT.
void on_interrupt(uint8_t vector, interrupt_handler handler);
void unexpected_interrupt(const struct interrupt_frame* frame) __attribute__((noreturn));
#define UNEXPECTED_INTERRUPT 99

// The stack pointer that an interrupt from CPL 3 uses.
uint64_t* tss_rsp0(unsigned cpu);

#endif  // GUEST_TESTS_LIB_INTERRUPTS_H_
