// Keeps its CPUs busy for good: at CPL 0, or with `cpl=3` at CPL 3, natively on every host.
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/smp.h"
#include "guest-tests/lib/user.h"

static __attribute__((noreturn)) uint64_t spin(void) {
  for (;;) asm volatile("");
}

static void also_spin(unsigned cpu) {
  (void)cpu;
  spin();
}

int main(void) {
  start_cpus(also_spin);
  print("# spinning\n");
  if (option_number("cpl", 0) == 3) run_at_cpl3(spin);
  spin();
}
