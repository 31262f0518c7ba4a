// The entry state of a 64-bit guest is the one that Linux's boot protocol asks for. Since then guest_start() has loaded
// its own tables, but has changed no control register other than CR3, and no segment.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"

int main(void) {
  const uint64_t cr0 = read_cr0(), cr4 = read_cr4(), efer = rdmsr(MSR_EFER);
  print("# cr0 %lx cr4 %lx efer %lx rflags %lx\n", cr0, cr4, efer, read_rflags());
  report((cr0 & 0x80000001) == 0x80000001, "CR0.PE and CR0.PG");
  report((cr0 & 0x60000000) == 0, "caches are on");
  report(cr4 & 1 << 5, "CR4.PAE");
  report((efer & 0x500) == 0x500, "EFER.LME and EFER.LMA");
  report(read_cs() == 0x10, "CS is 0x10");
  report(read_ds() == 0x18 && read_es() == 0x18 && read_ss() == 0x18, "DS, ES and SS are 0x18");
  report((read_rflags() & 0x200) == 0, "interrupts are off");
  report((uintptr_t)boot_params() != 0 && ((uintptr_t)boot_params() & 0xfff) == 0, "RSI is a page");
  report((rdmsr(MSR_APIC_BASE) & 0xfffff900) == 0xfee00900, "the LAPIC is at 0xfee00000, on, and this is the BSP");

  const struct cpuid_leaf kvm = cpuid(0x40000000, 0);
  report(kvm.ebx == 0x4b4d564b && kvm.ecx == 0x564b4d56 && kvm.edx == 0x4d, "CPUID's hypervisor leaf says KVM");
  report(cpuid(1, 0).ecx >> 31, "CPUID's hypervisor bit is set");
  return finish();
}
