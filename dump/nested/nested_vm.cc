#include "dump/nested/nested_vm.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <variant>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "dump/nested/kvm_vcpu_search.h"
#include "dump/nested/l2_registers.h"
#include "dump/nested/vmx/vm_entry_checks.h"

namespace vmm {
namespace {

constexpr uint64_t kCr0Paging = 1u << 31;
constexpr uint64_t kCr4La57 = 1 << 12;
constexpr uint64_t kNestedPaging = 1;
constexpr uint32_t kSecondaryModeBasedExecute = 1 << 22;

// AMD's nested tables have as many levels as the page tables of L1 itself (APM vol. 2, section 15.25).
int LevelsOfL1(std::span<const CpuState> l1_cpus, std::span<const NestedCpu> cpus, int by_default) {
  std::vector<bool> runs_l2(l1_cpus.size());
  for (const NestedCpu& cpu : cpus) {
    if (cpu.source != NestedCpu::Source::kRunning) continue;
    if (const auto* vmcb = std::get_if<Vmcb12>(&cpu.region)) return (vmcb->save.cr4 & kCr4La57) != 0 ? 5 : 4;
    if (*cpu.l1_vcpu < runs_l2.size()) runs_l2[*cpu.l1_vcpu] = true;
  }
  for (size_t i = 0; i < l1_cpus.size(); ++i) {
    const CpuState& cpu = l1_cpus[i];
    if (!runs_l2[i] && cpu.started && (cpu.cr0 & kCr0Paging) != 0) return (cpu.cr4 & kCr4La57) != 0 ? 5 : 4;
  }
  return by_default;
}

NestedVm VmOf(const NestedCpu& cpu, int levels_of_l1) {
  NestedVm vm = {.vmx = cpu.vmx()};
  if (vm.vmx) {
    const Vmcs12 vmcs12 = std::get<VmcsRegion>(cpu.region).vmcs12();
    vm.root = vmcs12.ept_pointer;
    vm.levels = static_cast<int>(vmcs12.ept_pointer >> 3 & 7) + 1;
    vm.mode_based_execute = (vmcs12.secondary_vm_exec_control & kSecondaryModeBasedExecute) != 0;
    if (!Vmcs12HasEpt(vmcs12)) vm.no_memory = "L1 shadows its page tables: it runs without EPT";
  } else {
    const VmcbControl& control = std::get<Vmcb12>(cpu.region).control;
    vm.root = AlignDown(control.nested_cr3, kPageSize);
    vm.levels = levels_of_l1;
    if ((control.nested_ctl & kNestedPaging) == 0) {
      vm.no_memory = "L1 shadows its page tables: it runs without nested paging";
    }
  }
  // Each process has shadow page tables of its own, so they do not show which vCPUs are of one VM.
  if (!vm.no_memory.empty()) vm.root = cpu.at.value;
  return vm;
}

// Takes the registers from the dump itself: those of the vCPU of L1 on which L2 runs.
void TakeLiveRegisters(const NestedCpu& cpu, std::span<const CpuState> l1_cpus, NestedVcpu* vcpu) {
  if (*cpu.l1_vcpu >= l1_cpus.size()) {
    vcpu->registers_from = absl::StrFormat("nowhere: the dump has no vCPU %d", *cpu.l1_vcpu);
    vcpu->registers.started = false;
    return;
  }
  vcpu->registers = l1_cpus[*cpu.l1_vcpu];
  vcpu->registers.nested = {};  // that state is L1's, whose guest this is
  vcpu->has_general_registers = true;
  vcpu->registers_from = absl::StrFormat("vCPU %d of the dump, where it ran", *cpu.l1_vcpu);
}

void TakeVmcs12Registers(std::span<const CpuState> l1_cpus, const NestedCpu& cpu,
                         const std::map<GuestAddr, KvmRegisters>& kvm, NestedVcpu* vcpu) {
  vcpu->registers = RegistersOf(std::get<VmcsRegion>(cpu.region).vmcs12());
  if (const auto found = kvm.find(cpu.at); found != kvm.end()) {
    SetGeneralRegisters(found->second, &vcpu->registers);
    vcpu->has_general_registers = true;
    vcpu->registers_from = absl::StrFormat("its VMCS, and struct vcpu_vmx of L1's KVM at 0x%x", found->second.at.value);
  } else {
    vcpu->registers_from = "its VMCS; general registers are not known";
  }
  // A VMCS has no MSR_KERNEL_GS_BASE. KVM leaves L2's in the CPU until another thread runs there. A process of L1 would
  // have a value in the lower half there.
  if (cpu.source != NestedCpu::Source::kCurrent || *cpu.l1_vcpu >= l1_cpus.size()) return;
  const uint64_t left_behind = l1_cpus[*cpu.l1_vcpu].kernel_gs_base;
  if (IsPerCpuArea(left_behind)) vcpu->registers.kernel_gs_base = left_behind;
}

void TakeVmcbRegisters(const NestedCpu& cpu, const std::map<GuestAddr, KvmRegisters>& kvm, NestedVcpu* vcpu) {
  vcpu->registers = RegistersOf(std::get<Vmcb12>(cpu.region).save);
  if (const auto found = kvm.find(cpu.at); found != kvm.end()) {
    SetGeneralRegisters(found->second, &vcpu->registers);
    vcpu->registers.rip = found->second.rip;
    vcpu->has_general_registers = true;
    const KvmRegisters& registers = found->second;
    vcpu->registers_from =
        registers.l1_vcpu.has_value()
            ? absl::StrFormat("its VMCB, and vCPU %d of the dump, which had just left it", *registers.l1_vcpu)
            : absl::StrFormat("its VMCB, and struct vcpu_svm of L1's KVM at 0x%x", registers.at.value);
  } else {
    vcpu->registers_from = "its VMCB; general registers but RAX are not known";
  }
}

// The kernel's GS base: gs.base in kernel mode, kernel_gs_base in user mode. The latter may not be known.
uint64_t KernelGsBase(const CpuState& cpu) { return cpu.gs.base >> 63 != 0 ? cpu.gs.base : cpu.kernel_gs_base; }

}  // namespace

absl::StatusOr<std::vector<NestedVm>> FindNestedVms(const PhysicalMemory& l1, std::span<const CpuState> l1_cpus,
                                                    std::span<const NestedCpu> cpus, int l1_levels) {
  std::vector<FoundVmcb> idle_vmcbs;
  std::vector<IdleVmcs> idle_vmcss;
  for (const NestedCpu& cpu : cpus) {
    if (!cpu.not_a_vcpu.empty() || cpu.source == NestedCpu::Source::kRunning) continue;
    if (cpu.vmx()) idle_vmcss.push_back({cpu.at, std::get<VmcsRegion>(cpu.region).vmcs12()});
    const auto* vmcb = std::get_if<Vmcb12>(&cpu.region);
    if (vmcb != nullptr && cpu.source == NestedCpu::Source::kMemory) idle_vmcbs.push_back({cpu.at, *vmcb});
  }
  ASSIGN_OR_RETURN(const auto svm_registers, FindSvmVcpus(l1, idle_vmcbs, l1_cpus));
  ASSIGN_OR_RETURN(const auto vmx_registers, FindVmxVcpus(l1, idle_vmcss));

  const int levels_of_l1 = LevelsOfL1(l1_cpus, cpus, l1_levels);
  std::vector<NestedVm> vms;
  std::map<std::tuple<bool, bool, uint64_t>, size_t> by_root;
  for (const NestedCpu& cpu : cpus) {
    if (!cpu.not_a_vcpu.empty()) continue;
    const NestedVm vm = VmOf(cpu, levels_of_l1);
    const auto [at, is_new] = by_root.try_emplace({vm.vmx, vm.no_memory.empty(), vm.root}, vms.size());
    if (is_new) vms.push_back(vm);

    NestedVcpu vcpu = {.source = cpu.source, .at = cpu.at, .l1_vcpu = cpu.l1_vcpu};
    if (cpu.source == NestedCpu::Source::kRunning) {
      TakeLiveRegisters(cpu, l1_cpus, &vcpu);
    } else if (cpu.vmx()) {
      TakeVmcs12Registers(l1_cpus, cpu, vmx_registers, &vcpu);
    } else {
      TakeVmcbRegisters(cpu, svm_registers, &vcpu);
    }
    vms[at->second].vcpus.push_back(std::move(vcpu));
  }
  for (NestedVm& vm : vms) {
    std::stable_sort(vm.vcpus.begin(), vm.vcpus.end(), [](const NestedVcpu& a, const NestedVcpu& b) {
      return KernelGsBase(a.registers) < KernelGsBase(b.registers);
    });
  }
  return vms;
}

absl::StatusOr<std::unique_ptr<L2Memory>> MemoryOf(const PhysicalMemory& l1, const NestedVm& vm) {
  if (!vm.no_memory.empty()) return absl::FailedPreconditionError(vm.no_memory);
  return vm.vmx ? L2Memory::ThroughEpt(l1, vm.root, vm.mode_based_execute)
                : L2Memory::ThroughNestedPaging(l1, GuestAddr{vm.root}, vm.levels);
}

}  // namespace vmm
