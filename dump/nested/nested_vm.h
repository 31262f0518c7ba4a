// The guests of a guest (L2), found in the dump of the one that runs them (L1): their vCPUs, and the page
// tables that lead to their RAM.
#ifndef DUMP_NESTED_NESTED_VM_H_
#define DUMP_NESTED_NESTED_VM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "base/physical_memory.h"
#include "dump/nested/l2_memory.h"
#include "dump/nested/nested_cpu.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

struct NestedVcpu {
  NestedCpu::Source source = NestedCpu::Source::kMemory;
  GuestAddr at;                     // of its VMCS or VMCB in L1's memory
  std::optional<uint32_t> l1_vcpu;  // on which it runs, or is current
  CpuState registers;

  // Whether `registers` has the general registers, too; else RSP, and on AMD RAX, are all there is.
  bool has_general_registers = false;
  std::string registers_from;  // in words
};

// vCPUs with the same page tables. A plain value.
struct NestedVm {
  bool vmx = true;
  uint64_t root = 0;  // VMX: EPT pointer. SVM: nCR3
  int levels = 4;
  bool mode_based_execute = false;  // VMX: secondary execution control 22

  // Why its memory cannot be had: L1 has no page tables for it that lead to L2-physical addresses. Else empty.
  std::string no_memory;

  // In L2's order, as far as that can be told: Linux's per-CPU areas, which the kernel's GS base is
  // the address of, ascend with the number of the CPU.
  std::vector<NestedVcpu> vcpus;
};

// The VMs in the order in which their first vCPU was found. `l1_cpus` are the registers in the dump, `cpus`
// what FindNestedCpus found there. `l1_levels` are those of L1's kernel's page tables, asked where the
// registers do not tell. Errors are those of reading `l1`, L1's RAM.
absl::StatusOr<std::vector<NestedVm>> FindNestedVms(const PhysicalMemory& l1, std::span<const CpuState> l1_cpus,
                                                    std::span<const NestedCpu> cpus, int l1_levels = 4);

// Its RAM. FailedPrecondition with no_memory where that says something; else as L2Memory's.
absl::StatusOr<std::unique_ptr<L2Memory>> MemoryOf(const PhysicalMemory& l1, const NestedVm& vm);

}  // namespace vmm

#endif  // DUMP_NESTED_NESTED_VM_H_
