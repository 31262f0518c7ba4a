// A hypervisor on VMX with its own guest (lib/l2.h) under EPT, and a panic: with mode=live in L2 itself, with mode=idle
// in L1, after L2's VM exit, with mode=shadow in L2, which has a shadow VMCS.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/io.h"
#include "guest-tests/lib/l2.h"
#include "guest-tests/lib/vmx.h"

#define EXIT_VMCALL 18
#define SHADOW_MARK 0x5ad0e5ad0ull  // in the shadow VMCS's guest RIP

static physical_page vmcs, shadow_vmcs, vmread_bitmap, vmwrite_bitmap;

static void set(uint32_t field, uint64_t value) {
  if (vmwrite(field, value) == VMX_SUCCEED) return;
  print("# VMWRITE of %lx to %x failed\n", value, field);
  exit_with(1);
}

// Returns the wanted bits that are allowed, and the bits that must be set.
static uint32_t controls(uint32_t msr, uint32_t wanted) {
  const uint64_t allowed = rdmsr(msr);
  return (wanted | (uint32_t)allowed) & (uint32_t)(allowed >> 32);
}

static void set_segment(unsigned index, uint16_t selector, uint32_t limit, uint32_t access) {
  set(0x800 + 2 * index, selector);
  set(0x4800 + 2 * index, limit);
  set(0x4814 + 2 * index, access);
  set(0x6806 + 2 * index, 0);
}

static void set_guest_state(void) {
  set_segment(0, KERNEL_DS, 0xffffffff, 0xc093);  // ES
  set_segment(1, KERNEL_CS, 0xffffffff, 0xa09b);  // CS
  for (unsigned i = 2; i < 6; ++i) set_segment(i, KERNEL_DS, 0xffffffff, 0xc093);
  set_segment(6, 0, 0, 0x10000);     // LDTR: unusable
  set_segment(7, 0x30, 0x67, 0x8b);  // TR
  set(0x4810, 0);                    // GDTR, IDTR: limits, bases
  set(0x4812, 0);
  set(0x6816, 0);
  set(0x6818, 0);
  set(0x6800, read_cr0());
  set(0x6802, L2_CR3);
  set(0x6804, read_cr4() & ~(1ull << 12));  // L2's tables have four levels
  set(0x681a, 0x400);                       // DR7
  set(0x681c, 0);
  set(0x681e, L2_ENTRY);
  set(0x6820, 2);
  set(0x2802, 0);  // IA32_DEBUGCTL
  set(0x2806, rdmsr(MSR_EFER));
  set(0x4826, 0);  // activity state: active
  set(0x4824, 0);
}

static void set_host_state(void) {
  struct table_register gdtr, idtr;
  uint16_t task;
  asm volatile("sgdt %0; sidt %1; str %2" : "=m"(gdtr), "=m"(idtr), "=r"(task));
  set(0xc00, KERNEL_DS);
  set(0xc02, KERNEL_CS);
  for (uint32_t field = 0xc04; field <= 0xc0a; field += 2) set(field, KERNEL_DS);
  set(0xc0c, task);
  set(0x6c00, read_cr0());
  set(0x6c02, read_cr3());
  set(0x6c04, read_cr4());
  set(0x6c06, rdmsr(MSR_FS_BASE));
  set(0x6c08, rdmsr(MSR_GS_BASE));
  set(0x6c0a, 0);
  set(0x6c0c, gdtr.base);
  set(0x6c0e, idtr.base);
  set(0x2c02, rdmsr(MSR_EFER));
}

static void set_controls(bool shadow) {
  set(0x4000, controls(MSR_VMX_TRUE_PINBASED_CTLS, 0));
  set(0x4002, controls(MSR_VMX_TRUE_PROCBASED_CTLS, 1u << 31));                       // secondary controls
  set(0x401e, controls(MSR_VMX_PROCBASED_CTLS2, 1u << 1 | (shadow ? 1u << 14 : 0)));  // EPT, shadow VMCS
  set(0x400c, controls(MSR_VMX_TRUE_EXIT_CTLS, 1u << 9 | 1u << 20 | 1u << 21));       // host is 64-bit; EFER saved and
                                                                                      // loaded
  set(0x4012, controls(MSR_VMX_TRUE_ENTRY_CTLS, 1u << 9 | 1u << 15));                 // guest is 64-bit; EFER loaded
  set(0x4004, 0);
  set(0x400a, 0);
  set(0x4014, 0);
  set(0x400e, 0);
  set(0x4010, 0);
  set(0x4016, 0);
  set(0x201a, make_l2_tables(7, 7 | 6 << 3) | 3 << 3 | 6);  // write-back, 4 levels
  set(0x2800, shadow ? (uint64_t)shadow_vmcs : ~0ull);
  if (shadow) {
    set(0x2026, (uint64_t)vmread_bitmap);
    set(0x2028, (uint64_t)vmwrite_bitmap);
  }
}

// Makes a shadow VMCS with one known field. Only an ordinary VMCS can be current outside VMX non-root operation, so it
// is written as one, and gets its mark once it is back in memory.
static bool make_shadow(void) {
  make_vmcs(shadow_vmcs);
  if (vmclear(shadow_vmcs) != VMX_SUCCEED || vmptrld(shadow_vmcs) != VMX_SUCCEED) return false;
  set(0x681e, SHADOW_MARK);
  if (vmclear(shadow_vmcs) != VMX_SUCCEED) return false;
  *(uint32_t*)shadow_vmcs |= VMX_SHADOW;
  return true;
}

// VMLAUNCH. Returns true after L2's first VM exit, false if the entry failed.
__attribute__((noinline)) static bool launch(void) {
  bool failed;
  asm volatile(
      "push %%rbp\n"
      "mov %%rsp, %%rax\n"
      "mov $0x6c14, %%ecx\n"  // HOST_RSP
      "vmwrite %%rax, %%rcx\n"
      "lea 1f(%%rip), %%rax\n"
      "mov $0x6c16, %%ecx\n"  // HOST_RIP
      "vmwrite %%rax, %%rcx\n"
      "vmlaunch\n"
      "mov $1, %%eax\n"
      "jmp 2f\n"
      "1: xor %%eax, %%eax\n"
      "2: pop %%rbp\n"
      : "=a"(failed)
      :
      : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
  return !failed;
}

static uint64_t get(uint32_t field) {
  uint64_t value = 0;
  vmread(field, &value);
  return value;
}

int main(void) {
  if (!has_vmx()) return 77;
  const char* mode = option("mode");
  const bool idle = mode != NULL && equal(mode, "idle");
  const bool shadow = mode != NULL && equal(mode, "shadow");
  make_l2(idle ? L2_VMCALL : L2_PANIC);
  report(enter_vmx_operation(), "VMXON");
  if (shadow) report(make_shadow(), "a shadow VMCS");
  make_vmcs(vmcs);
  report(vmclear(vmcs) == VMX_SUCCEED && vmptrld(vmcs) == VMX_SUCCEED, "VMPTRLD");
  set_controls(shadow);
  set_host_state();
  set_guest_state();
  print("# vmcs %lx, eptp %lx\n", (uint64_t)vmcs, get(0x201a));
  if (!launch()) {
    print("# VMLAUNCH: VM-instruction error %lu\n", get(0x4400));
    return 1;
  }
  print("# VM exit %lx, qualification %lx\n", get(0x4402), get(0x6400));
  report(get(0x4402) == EXIT_VMCALL, "L2 called");
  finish();
  outb(PORT_PVPANIC, 1);
  for (;;) asm volatile("cli; hlt");
}
