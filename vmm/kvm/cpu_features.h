// --cpu-features=-la57,+x2apic: shows CPUID bits to the guest or hides them. The names are /proc/cpuinfo's, so a name
// that a guest prints can be pasted into the flag.
#ifndef VMM_KVM_CPU_FEATURES_H_
#define VMM_KVM_CPU_FEATURES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace vmm {

enum class CpuidRegister : uint8_t { kEax, kEbx, kEcx, kEdx };

// One bit of one register of one CPUID (sub)leaf.
struct CpuidBit {
  uint32_t function = 0;
  uint32_t index = 0;
  CpuidRegister reg = CpuidRegister::kEax;
  uint8_t bit = 0;
};

struct CpuFeatureChange {
  std::string name;
  bool wanted = false;  // +name, else -name
  // The bits with this name. There is more than one if Intel and AMD each have their own ("ibrs").
  std::vector<CpuidBit> bits;
};

struct CpuFeatures {
  std::vector<CpuFeatureChange> changes;
  // +arch_perfmon: the performance counters of leaf 0xa. Without it a guest does not get them.
  bool perfmon = false;
};

// Parses a comma-separated list; an empty one changes nothing. InvalidArgument for an entry without + or -, for a name
// given both ways, and for a name that is not a CPUID bit; that last error suggests the nearest names.
absl::StatusOr<CpuFeatures> ParseCpuFeatures(std::string_view list);

}  // namespace vmm

#endif  // VMM_KVM_CPU_FEATURES_H_
