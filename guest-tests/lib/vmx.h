// VMX root operation, for a guest that is a hypervisor (Intel SDM vol. 3, chapters 24 to 32).
#ifndef GUEST_TESTS_LIB_VMX_H_
#define GUEST_TESTS_LIB_VMX_H_

#include <stdbool.h>
#include <stdint.h>

#define MSR_FEATURE_CONTROL 0x3a
#define MSR_VMX_BASIC 0x480
#define MSR_VMX_CR0_FIXED0 0x486
#define MSR_VMX_CR4_FIXED0 0x488
#define MSR_VMX_PROCBASED_CTLS2 0x48b
#define MSR_VMX_TRUE_PINBASED_CTLS 0x48d
#define MSR_VMX_TRUE_PROCBASED_CTLS 0x48e
#define MSR_VMX_TRUE_EXIT_CTLS 0x48f
#define MSR_VMX_TRUE_ENTRY_CTLS 0x490

#define CR4_VMXE (1u << 13)
#define VMX_REVISION_MASK 0x7fffffffu
#define VMX_SHADOW (1u << 31)

typedef uint8_t physical_page[4096] __attribute__((aligned(4096)));

// The ways in which a VMX instruction ends (section 31.2).
enum vmx_end { VMX_SUCCEED, VMX_FAIL_INVALID, VMX_FAIL_VALID };

#define VMX_END(carry, zero) ((carry) ? VMX_FAIL_INVALID : (zero) ? VMX_FAIL_VALID : VMX_SUCCEED)

#define VMX_WITH_POINTER(name)                                                           \
  static inline enum vmx_end name(const void* region) {                                  \
    const uint64_t pointer = (uint64_t)region;                                           \
    bool carry, zero;                                                                    \
    asm volatile(#name " %2" : "=@ccc"(carry), "=@ccz"(zero) : "m"(pointer) : "memory"); \
    return VMX_END(carry, zero);                                                         \
  }
VMX_WITH_POINTER(vmxon)
VMX_WITH_POINTER(vmclear)
VMX_WITH_POINTER(vmptrld)
#undef VMX_WITH_POINTER

static inline enum vmx_end vmread(uint64_t field, uint64_t* value) {
  bool carry, zero;
  asm volatile("vmread %3, %2" : "=@ccc"(carry), "=@ccz"(zero), "+r"(*value) : "r"(field) : "memory");
  return VMX_END(carry, zero);
}

static inline enum vmx_end vmwrite(uint64_t field, uint64_t value) {
  bool carry, zero;
  asm volatile("vmwrite %2, %3" : "=@ccc"(carry), "=@ccz"(zero) : "r"(value), "r"(field) : "memory");
  return VMX_END(carry, zero);
}

bool has_vmx(void);

// The revision in IA32_VMX_BASIC. Every region begins with it.
uint32_t vmx_revision(void);

// Fills the region with the revision and then zeros.
void make_vmcs(physical_page region);

// VMXON, with a region of its own. False if the firmware has locked VMX off, or if VMXON fails.
// REQUIRES: has_vmx().
bool enter_vmx_operation(void);

#endif  // GUEST_TESTS_LIB_VMX_H_
