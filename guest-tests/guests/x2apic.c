// The LAPIC by MSR: every CPU can switch to x2APIC mode, and IPIs work in it.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/interrupts.h"
#include "guest-tests/lib/irqchip.h"
#include "guest-tests/lib/smp.h"

static unsigned right, rung;

static void on_ring(struct interrupt_frame* frame) {
  (void)frame;
  __atomic_add_fetch(&rung, 1, __ATOMIC_SEQ_CST);
  apic_end();
}

static void go_x2apic(unsigned cpu) {
  wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | 3 << 10);
  apic_enable();
  if (apic_id() == cpu) __atomic_add_fetch(&right, 1, __ATOMIC_SEQ_CST);
  for (;;) sti_hlt_cli();
}

int main(void) {
  if ((cpuid(1, 0).ecx & 1 << 21) == 0) {
    print("# CPUID has no x2APIC\n");
    return 77;
  }
  on_interrupt(0x60, on_ring);
  const unsigned cpus = start_cpus(go_x2apic);
  while (__atomic_load_n(&right, __ATOMIC_SEQ_CST) < cpus - 1) pause();
  report(true, "the other CPUs have their ids as 32-bit ids");

  wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | 3 << 10);
  apic_enable();
  report(apic_id() == 0, "so has the first");
  for (unsigned cpu = 1; cpu < cpus; ++cpu) apic_send(cpu, 0x60);
  while (__atomic_load_n(&rung, __ATOMIC_SEQ_CST) < cpus - 1) pause();
  report(true, "each took the interrupt sent to it");
  return finish();
}
