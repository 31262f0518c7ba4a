// Ways to hang and ways to be busy, chosen by `by=`: irqs-off, livelock, idle, halted and no-idt are hangs; user,
// talking and offline are not. The guest answers an NMI with a line, and with `nmi=panic` with a panic, as a kernel's
// hard lockup detector would. With `by=no-idt` an NMI ends in a triple fault.
//
// by=offline needs two CPUs. `offline=` is parked as Linux parks a CPU that it takes offline. The other one talks; with
// `other=idle` it sleeps, and with `other=halted` it is parked as well.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/interrupts.h"
#include "guest-tests/lib/io.h"
#include "guest-tests/lib/smp.h"
#include "guest-tests/lib/user.h"

static __attribute__((noreturn)) uint64_t spin(void) {
  for (;;) asm volatile("");
}

static void on_nmi(struct interrupt_frame* frame) {
  (void)frame;
  const char* nmi = option("nmi");
  serial_print("# an NMI came\n");
  if (nmi != NULL && equal(nmi, "panic")) outb(PORT_PVPANIC, 1);
}

static __attribute__((noreturn)) void halt_for_good(void) {
  for (;;) asm volatile("cli; hlt");
}

static __attribute__((noreturn)) void talk(void) {
  sti();
  for (;;) {
    serial_print(".");
    for (volatile int i = 0; i < 20000; ++i) {
    }
  }
}

// From the command line, read before there is a second CPU.
static unsigned offline;
static enum { TALK, IDLE, HALTED } other = TALK;

// The work of CPU number `cpu` with by=offline.
static void work_or_not(unsigned cpu) {
  if (cpu == offline || other == HALTED) halt_for_good();
  if (other == TALK) talk();
  for (;;) asm volatile("sti; hlt");
}

// Sets RBX and R15 to values that a test recognizes.
static __attribute__((noreturn)) void spin_without_idt(void) {
  const struct table_register nothing = {0, 0};
  asm volatile(
      "cli; lidt %0; mov %1, %%r15; mov %%r15, %%rbx\n"
      "1: pause; jmp 1b" ::"m"(nothing),
      "r"(0x2020202020353172)
      : "rbx", "r15");
  __builtin_unreachable();
}

int main(void) {
  const char* by = option("by");
  if (by == NULL) return 2;
  on_interrupt(2, on_nmi);
  print("# hanging\n");
  if (equal(by, "irqs-off")) {
    asm volatile("cli");
    spin();
  }
  if (equal(by, "livelock")) {
    asm volatile("sti");
    spin();
  }
  if (equal(by, "user")) run_at_cpl3(spin);
  if (equal(by, "talking")) talk();
  if (equal(by, "halted")) halt_for_good();
  if (equal(by, "no-idt")) spin_without_idt();
  if (equal(by, "offline")) {
    offline = (unsigned)option_number("offline", 1);
    const char* does = option("other");
    if (does != NULL) other = equal(does, "idle") ? IDLE : HALTED;
    start_cpus(work_or_not);
    work_or_not(0);
  }
  for (;;) asm volatile("sti; hlt");
}
