// Jumps to a physical address without memory: there is no instruction to run.
#include "guest-tests/lib/guest.h"

int main(void) {
  print("# off we go\n");
  asm volatile("jmp *%0" ::"r"(0xc8000000ull));
  return 0;
}
