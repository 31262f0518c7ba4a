// All CPUs report a panic at the same moment: one is the first.
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/io.h"
#include "guest-tests/lib/smp.h"

static unsigned cpus, ready;

static __attribute__((noreturn)) void panic_with_the_others(unsigned cpu) {
  (void)cpu;
  __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < cpus) asm volatile("pause");
  outb(PORT_PVPANIC, 1);
  for (;;) asm volatile("cli; hlt");
}

int main(void) {
  cpus = option_number("cpus", 1);
  start_cpus(panic_with_the_others);
  panic_with_the_others(0);
}
