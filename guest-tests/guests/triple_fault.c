// A fault without an IDT: the CPU shuts down.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"

int main(void) {
  const struct table_register nothing = {0, 0};
  print("# no IDT from here on\n");
  asm volatile("lidt %0; mov %1, %%r15; ud2" ::"m"(nothing), "r"(0x3531722079656865) : "r15");
  return 0;
}
