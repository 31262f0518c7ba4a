// The names that Linux gives to CPUID bits in /proc/cpuinfo. Words there that Linux made up and that are not CPUID bits
// (rep_good, nopl, ...) are not listed.
#ifndef VMM_KVM_CPU_FEATURE_NAMES_H_
#define VMM_KVM_CPU_FEATURE_NAMES_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "vmm/kvm/cpu_features.h"

namespace vmm {

struct CpuFeatureName {
  uint8_t bit = 0;
  std::string_view name;
};

// The named bits of one CPUID register.
struct CpuFeatureWord {
  uint32_t function = 0;
  uint32_t index = 0;
  CpuidRegister reg = CpuidRegister::kEax;
  std::span<const CpuFeatureName> names;
};

std::span<const CpuFeatureWord> CpuFeatureWords();

}  // namespace vmm

#endif  // VMM_KVM_CPU_FEATURE_NAMES_H_
