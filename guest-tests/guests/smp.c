// All CPUs of the MADT start, each knows its identity, and they see each other's memory.
#include "guest-tests/lib/smp.h"

#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/interrupts.h"
#include "guest-tests/lib/irqchip.h"

static volatile uint32_t lapic_id[MAX_CPUS], cpuid_id[MAX_CPUS];
static unsigned counted = 1;  // the first CPU counts itself

static void look(unsigned cpu) {
  lapic_id[cpu] = apic_id();
  cpuid_id[cpu] = cpuid(1, 0).ebx >> 24;
  __atomic_add_fetch(&counted, 1, __ATOMIC_SEQ_CST);
  for (;;) asm volatile("cli; hlt");
}

int main(void) {
  const unsigned cpus = start_cpus(look);
  report(cpus == option_number("cpus", 1), "the MADT has as many CPUs as asked for");
  while (__atomic_load_n(&counted, __ATOMIC_SEQ_CST) < cpus) pause();
  report(true, "all CPUs counted themselves");
  lapic_id[0] = apic_id();
  cpuid_id[0] = cpuid(1, 0).ebx >> 24;
  bool in_order = true, same = true;
  for (unsigned cpu = 0; cpu < cpus; ++cpu) {
    in_order &= lapic_id[cpu] == cpu;
    same &= cpuid_id[cpu] == lapic_id[cpu];
  }
  report(in_order, "APIC ids are 0, 1, 2, ... in the order of the MADT");
  report(same, "CPUID leaf 1 and the LAPIC agree on the APIC id");
  return finish();
}
