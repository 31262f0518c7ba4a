// The LAPIC's timer: once, periodically, and by TSC deadline where CPUID has that.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/interrupts.h"
#include "guest-tests/lib/irqchip.h"

#define LVT_TIMER 0x320
#define INITIAL_COUNT 0x380
#define CURRENT_COUNT 0x390
#define DIVIDE 0x3e0
#define PERIODIC (1 << 17)
#define TSC_DEADLINE (2 << 17)

static volatile unsigned ticks;

static void on_tick(struct interrupt_frame* frame) {
  (void)frame;
  ++ticks;
  apic_end();
}

int main(void) {
  on_interrupt(0x50, on_tick);
  apic_enable();
  apic_write(DIVIDE, 0x3);  // by 16

  apic_write(LVT_TIMER, 0x50);
  apic_write(INITIAL_COUNT, 100000);
  report(apic_read(CURRENT_COUNT) != 0, "one-shot: the count goes down");
  while (ticks == 0) sti_hlt_cli();
  report(apic_read(CURRENT_COUNT) == 0, "one-shot: the interrupt comes when it is 0");

  ticks = 0;
  apic_write(LVT_TIMER, 0x50 | PERIODIC);
  apic_write(INITIAL_COUNT, 100000);
  while (ticks < 5) sti_hlt_cli();
  report(true, "periodic: five interrupts");
  apic_write(INITIAL_COUNT, 0);

  if (cpuid(1, 0).ecx & 1 << 24) {
    ticks = 0;
    apic_write(LVT_TIMER, 0x50 | TSC_DEADLINE);
    const uint64_t start = rdtsc(), wait = 5000000;
    wrmsr(MSR_TSC_DEADLINE, start + wait);
    while (ticks == 0) sti_hlt_cli();
    const uint64_t waited = rdtsc() - start;
    print("# %lu TSC cycles instead of %lu\n", waited, wait);
    report(waited > wait * 9 / 10, "TSC deadline: the interrupt comes, and not before its time");  // KVM aims a bit early
    report(rdmsr(MSR_TSC_DEADLINE) == 0, "TSC deadline: disarmed by itself");
  } else {
    print("# no TSC deadline timer here\n");
  }
  return finish();
}
