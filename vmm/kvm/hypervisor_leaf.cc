#include "vmm/kvm/hypervisor_leaf.h"

namespace vmm {
namespace {

// Linux: arch/x86/kernel/cpu/vmware.c, arch/x86/include/asm/processor.h (hypervisor_cpuid_base).
constexpr uint32_t kFirst = 0x40000000;
constexpr uint32_t kStep = 0x100;  // from one hypervisor's leaves to the next one's
constexpr uint32_t kVmwareTiming = 0x40000010;

// "VMwareVMware"
constexpr uint32_t kVmwareEbx = 0x61774d56;
constexpr uint32_t kVmwareEcx = 0x4d566572;
constexpr uint32_t kVmwareEdx = 0x65726177;

bool IsHypervisors(const CpuidEntry& entry) { return entry.function >= kFirst && entry.function < kFirst + kStep; }

}  // namespace

CpuidTable WithVmwareLeaf(CpuidTable table, HypervisorLeaf leaf, const VmwareTiming& timing) {
  if (leaf == HypervisorLeaf::kKvm) return table;
  if (leaf == HypervisorLeaf::kVmwareOnly) std::erase_if(table, IsHypervisors);
  for (CpuidEntry& entry : table) {
    if (!IsHypervisors(entry)) continue;
    // EAX of the first leaf is the number of the highest one; KVM before 3.x had 0 there.
    if (entry.function == kFirst && entry.eax >= kFirst) entry.eax += kStep;
    entry.function += kStep;
  }
  table.push_back({.function = kFirst, .eax = kVmwareTiming, .ebx = kVmwareEbx, .ecx = kVmwareEcx, .edx = kVmwareEdx});
  table.push_back({.function = kVmwareTiming, .eax = timing.tsc_khz, .ebx = timing.bus_khz});
  return table;
}

}  // namespace vmm
