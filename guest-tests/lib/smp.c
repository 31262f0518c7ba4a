#include "guest-tests/lib/smp.h"

#include "guest-tests/lib/acpi.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/interrupts.h"
#include "guest-tests/lib/irqchip.h"

#define TRAMPOLINE 0x8000
#define INIT 0x4500
#define SIPI 0x4600
#define STACK_SIZE 4096

extern const uint8_t ap_trampoline[], ap_trampoline_end[], ap_cr3[], ap_cr4[], ap_efer[];
extern uint8_t* volatile ap_stack;

static uint8_t stacks[MAX_CPUS][STACK_SIZE] __attribute__((aligned(16)));
static void (*ap_function)(unsigned);
static volatile unsigned starting;  // the number of the CPU that is starting; 0 once it has arrived

// Called by start.S, on its own stack.
void ap_main(void) {
  const unsigned cpu = starting;
  load_tables(cpu);
  apic_enable();
  starting = 0;
  ap_function(cpu);
}

static void patch(const uint8_t* symbol, uint64_t value) {
  *(uint64_t*)(TRAMPOLINE + (symbol - ap_trampoline)) = value;
}

unsigned start_cpus(void (*function)(unsigned)) {
  uint32_t apic_ids[MAX_CPUS];
  const unsigned count = acpi_cpus(apic_ids, MAX_CPUS);
  memcpy((void*)TRAMPOLINE, ap_trampoline, ap_trampoline_end - ap_trampoline);
  patch(ap_cr3, read_cr3());
  patch(ap_cr4, read_cr4());
  patch(ap_efer, rdmsr(MSR_EFER) & ~(1ull << 10));  // LMA follows automatically
  apic_enable();
  ap_function = function;
  for (unsigned cpu = 1; cpu < count; ++cpu) {
    ap_stack = stacks[cpu] + STACK_SIZE;
    starting = cpu;
    apic_send(apic_ids[cpu], INIT);
    wait_us(200);
    apic_send(apic_ids[cpu], SIPI | TRAMPOLINE >> 12);
    while (starting != 0) pause();
  }
  return count;
}
