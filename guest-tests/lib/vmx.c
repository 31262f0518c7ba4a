#include "guest-tests/lib/vmx.h"

#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"

#define CPUID_1_ECX_VMX (1u << 5)
#define FEATURE_LOCKED 1u
#define FEATURE_VMX_OUTSIDE_SMX (1u << 2)

static physical_page vmxon_region;

bool has_vmx(void) { return (cpuid(1, 0).ecx & CPUID_1_ECX_VMX) != 0; }

uint32_t vmx_revision(void) { return rdmsr(MSR_VMX_BASIC) & VMX_REVISION_MASK; }

void make_vmcs(physical_page region) {
  memset(region, 0, sizeof(physical_page));
  *(uint32_t*)region = vmx_revision();
}

bool enter_vmx_operation(void) {
  if ((rdmsr(MSR_FEATURE_CONTROL) & FEATURE_LOCKED) == 0) {
    wrmsr(MSR_FEATURE_CONTROL, FEATURE_LOCKED | FEATURE_VMX_OUTSIDE_SMX);
  }
  if ((rdmsr(MSR_FEATURE_CONTROL) & FEATURE_VMX_OUTSIDE_SMX) == 0) return false;
  write_cr0(read_cr0() | rdmsr(MSR_VMX_CR0_FIXED0));
  write_cr4(read_cr4() | rdmsr(MSR_VMX_CR4_FIXED0) | CR4_VMXE);
  make_vmcs(vmxon_region);
  return vmxon(vmxon_region) == VMX_SUCCEED;
}
