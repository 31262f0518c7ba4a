// struct kvm_nested_state: KVM_GET_NESTED_STATE returns it, and KVM_SET_NESTED_STATE takes it (Linux
// Documentation/virt/kvm/api.rst, sections 4.114 and 4.115; arch/x86/include/uapi/asm/kvm.h). A header of 128 bytes
// comes first, then the pages that its flags and addresses call for. Little endian.
#ifndef DUMP_NESTED_ABI_NESTED_STATE_ABI_H_
#define DUMP_NESTED_ABI_NESTED_STATE_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

// format
inline constexpr uint16_t kNestedFormatVmx = 0;
inline constexpr uint16_t kNestedFormatSvm = 1;

// flags
inline constexpr uint16_t kNestedGuestMode = 1 << 0;   // L2 runs: the vCPU's registers are L2's
inline constexpr uint16_t kNestedRunPending = 1 << 1;  // L1 has entered L2, which has not yet run
inline constexpr uint16_t kNestedEvmcs = 1 << 2;       // an enlightened VMCS, Hyper-V's
inline constexpr uint16_t kNestedMtfPending = 1 << 3;
inline constexpr uint16_t kNestedGifSet = 1 << 8;  // SVM

// smm_flags
inline constexpr uint16_t kNestedSmmGuestMode = 1 << 0;
inline constexpr uint16_t kNestedSmmVmxon = 1 << 1;

// vmx_flags
inline constexpr uint32_t kNestedPreemptionTimerDeadline = 1 << 0;

// The value of vmxon_pa and vmcs12_pa for "no address".
inline constexpr uint64_t kNestedNoAddress = ~uint64_t{0};

struct KvmNestedVmxHeader {
  uint64_t vmxon_pa;
  uint64_t vmcs12_pa;
  uint16_t smm_flags;
  uint16_t pad;
  uint32_t vmx_flags;
  uint64_t preemption_timer_deadline;
  uint8_t reserved[88];
};
static_assert(sizeof(KvmNestedVmxHeader) == 120);
static_assert(offsetof(KvmNestedVmxHeader, vmcs12_pa) == 8);
static_assert(offsetof(KvmNestedVmxHeader, smm_flags) == 16);
static_assert(offsetof(KvmNestedVmxHeader, vmx_flags) == 20);
static_assert(offsetof(KvmNestedVmxHeader, preemption_timer_deadline) == 24);

struct KvmNestedSvmHeader {
  uint64_t vmcb_pa;  // 0 unless L2 runs
  uint32_t svm_flags;
  uint8_t reserved[108];
};
static_assert(sizeof(KvmNestedSvmHeader) == 120);
static_assert(offsetof(KvmNestedSvmHeader, svm_flags) == 8);

struct KvmNestedHeader {
  uint16_t flags;
  uint16_t format;
  uint32_t size;  // of the header and all that follows it
  union {
    KvmNestedVmxHeader vmx;
    KvmNestedSvmHeader svm;
  };
};
static_assert(sizeof(KvmNestedHeader) == 128);
static_assert(offsetof(KvmNestedHeader, format) == 2);
static_assert(offsetof(KvmNestedHeader, size) == 4);
static_assert(offsetof(KvmNestedHeader, vmx) == 8);

// Data after the header. VMX: the vmcs12; then the shadow VMCS, if L2 runs with one. SVM: a VMCB, if L2 runs. Its
// control area has L1's intercepts, and its save area L1's own state.
inline constexpr size_t kNestedPageSize = 4096;
inline constexpr size_t kNestedOnePage = sizeof(KvmNestedHeader) + kNestedPageSize;
inline constexpr size_t kNestedTwoPages = sizeof(KvmNestedHeader) + 2 * kNestedPageSize;

}  // namespace vmm

#endif  // DUMP_NESTED_ABI_NESTED_STATE_ABI_H_
