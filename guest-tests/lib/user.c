#include "guest-tests/lib/user.h"

#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/interrupts.h"

uint64_t enter_user(uint64_t (*function)(void), uint8_t* stack_top, uint64_t* rsp0);
extern const uint8_t user_return[], user_exit[];
extern uint64_t user_exit_stack;

// Handles the #GP after the function's return.
static void leave_user(struct interrupt_frame* frame) {
  if (frame->rip != (uint64_t)user_return) unexpected_interrupt(frame);
  frame->rip = (uint64_t)user_exit;
  frame->cs = KERNEL_CS;
  frame->rflags = 0x2;
  frame->rsp = user_exit_stack;
  frame->ss = KERNEL_DS;
}

uint64_t run_at_cpl3(uint64_t (*function)(void)) {
  static uint8_t stack[8192] __attribute__((aligned(16)));
  on_interrupt(13, leave_user);
  return enter_user(function, stack + sizeof(stack), tss_rsp0(0));
}
