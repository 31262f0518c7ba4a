// Builds a guest's CPUID table from the one that KVM supports, with the virtual machine's topology filled in. Pure; the
// ioctls are in cpuid_ioctl.h.
#ifndef VMM_KVM_CPUID_H_
#define VMM_KVM_CPUID_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "vmm/kvm/cpu_features.h"

namespace vmm {

// One (sub)leaf; the fields of struct kvm_cpuid_entry2.
struct CpuidEntry {
  uint32_t function = 0;
  uint32_t index = 0;
  uint32_t flags = 0;  // kCpuidIndexMatters or 0
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;

  friend bool operator==(const CpuidEntry&, const CpuidEntry&) = default;
};

inline constexpr uint32_t kCpuidIndexMatters = 1;  // KVM_CPUID_FLAG_SIGNIFCANT_INDEX

using CpuidTable = std::vector<CpuidEntry>;

// The highest vCPU id + 1: APIC id 255 is xAPIC's broadcast.
inline constexpr int kMaxCpus = 255;

// The entry of a leaf. Null: there is none.
const CpuidEntry* FindCpuid(const CpuidTable& table, uint32_t function, uint32_t index = 0);

// The register's bit in `table`. False if there is no such leaf.
bool HasCpuidBit(const CpuidTable& table, const CpuidBit& bit);
// Sets or clears the bit. If there is no such leaf, does nothing and returns false.
bool SetCpuidBit(CpuidTable& table, const CpuidBit& bit, bool value);

// Returns the table for vCPU `vcpu_id` of `cpus`. The machine is one package of one-thread cores, and an APIC id is the
// vCPU's number. InvalidArgument if `features` asks for a bit that `host_supported` (KVM_GET_SUPPORTED_CPUID) lacks.
// REQUIRES: 1 <= cpus <= kMaxCpus, 0 <= vcpu_id < cpus.
absl::StatusOr<CpuidTable> BuildGuestCpuid(const CpuidTable& host_supported, int cpus, int vcpu_id,
                                           const CpuFeatures& features);

}  // namespace vmm

#endif  // VMM_KVM_CPUID_H_
