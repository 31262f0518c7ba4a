// The LAPIC timer: one-shot, periodic, and by TSC deadline if CPUID offers that.
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
  apic_write(INITIAL_COUNT, 20000000);  // 0.3 s of KVM's 1 GHz
  const uint32_t count = apic_read(CURRENT_COUNT);
  report(count > 0 && apic_read(CURRENT_COUNT) < count, "one-shot: the count goes down");
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
    wrmsr(MSR_TSC_DEADLINE, rdtsc() + 5000000);
    while (ticks == 0) sti_hlt_cli();
    // The advance of the TSC meanwhile says nothing: if the host's TSC is unstable, KVM stops the guest's in HLT.
    report(true, "TSC deadline: the interrupt comes");
    // KVM may deliver the interrupt from another host CPU, and disarm the timer a moment later.
    unsigned reads = 1;
    while (rdmsr(MSR_TSC_DEADLINE) != 0 && reads < 100000) ++reads;
    report(reads < 100000 && ticks == 1, "TSC deadline: disarmed by itself");
  } else {
    print("# no TSC deadline timer here\n");
  }
  return finish();
}
