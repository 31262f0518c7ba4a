// Finds the guests (L2) of a guest (L1) in a dump of L1: their vCPUs, and the page tables that lead to their RAM.
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
  std::optional<uint32_t> l1_vcpu;  // the one on which it runs, or is current
  CpuState registers;

  // True if `registers` has the general registers, too. Else it has only RSP, and on AMD RAX.
  bool has_general_registers = false;
  std::string registers_from;  // the source of `registers`, in words
};

// vCPUs with the same page tables. A plain value.
struct NestedVm {
  bool vmx = true;
  uint64_t root = 0;  // VMX: EPT pointer. SVM: nCR3
  int levels = 4;
  bool mode_based_execute = false;  // VMX: secondary execution control 22

  // Why its memory cannot be read: L1 has no page tables for it that map L2-physical addresses. Empty: it can be read.
  std::string no_memory;

  // In L2's order, as far as it can be known: the kernel's GS base is the address of Linux's per-CPU area, and these
  // addresses ascend with the number of the CPU.
  std::vector<NestedVcpu> vcpus;
};

// Returns the VMs in the order in which their first vCPU was found. `l1_cpus` are the registers in the dump, and `cpus`
// the result of FindNestedCpus() for it. `l1_levels` is the depth of the page tables of L1's kernel, used if the
// registers do not show it. Errors come from reading `l1`, L1's RAM.
absl::StatusOr<std::vector<NestedVm>> FindNestedVms(const PhysicalMemory& l1, std::span<const CpuState> l1_cpus,
                                                    std::span<const NestedCpu> cpus, int l1_levels = 4);

// The VM's RAM. FailedPrecondition with the text of no_memory if that is not empty; other errors as L2Memory's.
absl::StatusOr<std::unique_ptr<L2Memory>> MemoryOf(const PhysicalMemory& l1, const NestedVm& vm);

}  // namespace vmm

#endif  // DUMP_NESTED_NESTED_VM_H_
