// Code at CPL 3: it runs, its port I/O and its faults arrive, and it is fast on every host.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/interrupts.h"
#include "guest-tests/lib/io.h"
#include "guest-tests/lib/paging.h"
#include "guest-tests/lib/user.h"

static struct interrupt_frame fault;
static uint64_t fault_address;

static void skip_two_bytes(struct interrupt_frame* frame) {
  fault = *frame;
  fault_address = read_cr2();
  frame->rip += 2;
}

static uint64_t where_am_i(void) { return read_cs() & 3; }

static uint64_t say_something(void) {
  print("# said at CPL %d\n", read_cs() & 3);
  return inw(PORT_NOBODY);
}

static uint64_t count_to_a_billion(void) {
  uint64_t n = 1000000000;
  asm volatile("1: dec %0; jnz 1b" : "+r"(n));
  return n;
}

static uint64_t undefined(void) {
  asm volatile("ud2");
  return 2;
}

static uint64_t touch_unmapped(void) {
  asm volatile("movb %%al, (%0)" ::"r"(MAPPED_BYTES + 0x123) : "memory");  // two bytes long
  return 3;
}

int main(void) {
  report(run_at_cpl3(where_am_i) == 3, "the function runs at CPL 3");
  report((read_cs() & 3) == 0, "and its caller at CPL 0 again afterwards");
  report(run_at_cpl3(say_something) == 0xffff, "IN and OUT at CPL 3, where the TSS allows them");
  report(run_at_cpl3(count_to_a_billion) == 0, "a billion rounds");

  on_interrupt(6, skip_two_bytes);
  report(run_at_cpl3(undefined) == 2 && fault.vector == 6 && (fault.cs & 3) == 3, "UD2 at CPL 3 is #UD");
  on_interrupt(14, skip_two_bytes);
  report(run_at_cpl3(touch_unmapped) == 3 && fault.vector == 14, "a write to what is not mapped is #PF");
  report(fault_address == MAPPED_BYTES + 0x123, "CR2 is the address");
  report(fault.error == 6, "the error code says write, user");
  return finish();
}
