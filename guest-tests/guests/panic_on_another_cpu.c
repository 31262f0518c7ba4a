// CPU `dies=` panics while the others spin. R15 of each CPU says which one it is.
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/smp.h"

#define NAME 0x20757063206d4149  // "IAm cpu ", with the digit in place of the last byte

static unsigned cpus, dies, spinning;

static __attribute__((noreturn)) void die_or_spin(unsigned cpu) {
  const uint64_t name = (NAME & 0x00ffffffffffffff) | (uint64_t)('0' + cpu) << 56;
  if (cpu == dies) {
    while (__atomic_load_n(&spinning, __ATOMIC_SEQ_CST) + 1 < cpus) asm volatile("pause");
    asm volatile("mov %0, %%r15; out %%al, %%dx; 1: jmp 1b" ::"r"(name), "a"(1), "d"(PORT_PVPANIC) : "r15");
  }
  asm volatile("mov %0, %%r15; lock incl %1; 1: pause; jmp 1b" ::"r"(name), "m"(spinning) : "r15", "memory");
  __builtin_unreachable();
}

int main(void) {
  cpus = option_number("cpus", 2);
  dies = option_number("dies", 1);
  start_cpus(die_or_spin);
  die_or_spin(0);
}
