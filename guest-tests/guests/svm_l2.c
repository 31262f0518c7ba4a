// A hypervisor on SVM with its own guest (lib/l2.h) under nested paging, and a panic: with mode=live in L2 itself, with
// mode=idle in L1, after L2's VM exit.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/io.h"
#include "guest-tests/lib/l2.h"

#define EFER_SVME (1u << 12)
#define MSR_VM_HSAVE_PA 0xc0010117
#define EXIT_VMMCALL 0x81

typedef uint8_t physical_page[4096] __attribute__((aligned(4096)));
static physical_page vmcb, host_save;

// AMD APM vol. 2, appendix B: offsets in the VMCB.
static void put64(unsigned offset, uint64_t value) { *(uint64_t*)(vmcb + offset) = value; }
static void put32(unsigned offset, uint32_t value) { *(uint32_t*)(vmcb + offset) = value; }
static uint64_t get64(unsigned offset) { return *(uint64_t*)(vmcb + offset); }

static void put_segment(unsigned offset, uint16_t selector, uint16_t attributes, uint32_t limit) {
  *(uint16_t*)(vmcb + offset) = selector;
  *(uint16_t*)(vmcb + offset + 2) = attributes;
  put32(offset + 4, limit);
  put64(offset + 8, 0);
}

static void make_vmcb(void) {
  put32(0x010, 1 | 1 << 1);  // intercept VMRUN and VMMCALL
  put32(0x058, 1);           // ASID
  put64(0x090, 1);           // nested paging
  put64(0x0b0, make_l2_tables(7, 7));
  put_segment(0x400, KERNEL_DS, 0xc93, 0xffffffff);
  put_segment(0x410, KERNEL_CS, 0xa9b, 0xffffffff);
  put_segment(0x420, KERNEL_DS, 0xc93, 0xffffffff);
  put_segment(0x430, KERNEL_DS, 0xc93, 0xffffffff);
  put64(0x4d0, rdmsr(MSR_EFER));
  put64(0x548, read_cr4() & ~(1ull << 12));  // L2's tables have four levels
  put64(0x550, L2_CR3);
  put64(0x558, read_cr0());
  put64(0x560, 0x400);
  put64(0x568, 0xffff0ff0);
  put64(0x570, 2);
  put64(0x578, L2_ENTRY);
  put64(0x5d8, 0);
  put64(0x668, 0x0007040600070406);  // the PAT's value at reset
}

// VMRUN, until L2's VM exit. The processor keeps RSP and RIP.
__attribute__((noinline)) static void run(void) {
  asm volatile(
      "push %%rbp\n"
      "vmrun %%rax\n"
      "pop %%rbp\n" ::"a"(vmcb)
      : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
}

int main(void) {
  if (cpuid(0x80000000, 0).eax < 0x8000000a || (cpuid(0x80000001, 0).ecx & 1 << 2) == 0) return 77;
  const char* mode = option("mode");
  make_l2(mode != NULL && equal(mode, "idle") ? L2_VMMCALL : L2_PANIC);
  wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
  wrmsr(MSR_VM_HSAVE_PA, (uint64_t)host_save);
  make_vmcb();
  print("# vmcb %lx, nested cr3 %lx\n", (uint64_t)vmcb, get64(0x0b0));
  run();
  print("# exit %lx, info %lx %lx\n", get64(0x070), get64(0x078), get64(0x080));
  report(get64(0x070) == EXIT_VMMCALL, "L2 called");
  finish();
  outb(PORT_PVPANIC, 1);
  for (;;) asm volatile("cli; hlt");
}
