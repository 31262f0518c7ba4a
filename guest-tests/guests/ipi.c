// CPUs interrupt each other: one by its id, all but the sender, and a ring in which each wakes the next.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/interrupts.h"
#include "guest-tests/lib/irqchip.h"
#include "guest-tests/lib/smp.h"

#define FIXED 0x4000
#define ALL_BUT_SELF (3 << 18)

static unsigned cpus, pings[MAX_CPUS], shouts;
static volatile bool ring_closed;

static void on_ping(struct interrupt_frame* frame) {
  (void)frame;
  __atomic_add_fetch(&pings[apic_id()], 1, __ATOMIC_SEQ_CST);
  apic_end();
}

static void on_shout(struct interrupt_frame* frame) {
  (void)frame;
  __atomic_add_fetch(&shouts, 1, __ATOMIC_SEQ_CST);
  apic_end();
}

static void on_ring(struct interrupt_frame* frame) {
  (void)frame;
  const unsigned me = apic_id();
  if (me == 0) {
    ring_closed = true;
  } else {
    apic_send((me + 1) % cpus, FIXED | 0x63);
  }
  apic_end();
}

static void sleep(unsigned cpu) {
  (void)cpu;
  for (;;) sti_hlt_cli();
}

int main(void) {
  on_interrupt(0x61, on_ping);
  on_interrupt(0x62, on_shout);
  on_interrupt(0x63, on_ring);
  cpus = start_cpus(sleep);
  for (unsigned cpu = 1; cpu < cpus; ++cpu) apic_send(cpu, FIXED | 0x61);
  for (unsigned cpu = 1; cpu < cpus; ++cpu) {
    while (__atomic_load_n(&pings[cpu], __ATOMIC_SEQ_CST) == 0) pause();
  }
  bool once = pings[0] == 0;
  for (unsigned cpu = 1; cpu < cpus; ++cpu) once &= pings[cpu] == 1;
  report(once, "each CPU took its own interrupt, once");

  apic_send(0, FIXED | ALL_BUT_SELF | 0x62);
  while (__atomic_load_n(&shouts, __ATOMIC_SEQ_CST) < cpus - 1) pause();
  report(shouts == cpus - 1, "all but oneself");

  apic_send(1 % cpus, FIXED | 0x63);
  while (!ring_closed) sti_hlt_cli();
  report(true, "the ring closed");
  return finish();
}
