// An instruction at CPL 0 that a KVM without VMX and SVM must emulate, and cannot: XRSTOR. A processor with either just
// runs it, and the guest says so.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"

static uint8_t area[4096] __attribute__((aligned(64)));

int main(void) {
  write_cr4(read_cr4() | 1 << 9 | 1 << 18);  // OSFXSR, OSXSAVE
  asm volatile("xrstor %0" ::"m"(area), "a"(0), "d"(0));
  print("# XRSTOR just works here\n");
  return 77;
}
