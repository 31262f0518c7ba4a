// Finds every VMCS and VMCB in a dump of a guest that is itself a hypervisor (L1). There is one for each vCPU of L1's
// own guests (L2), as far as the dump shows it.
#ifndef DUMP_NESTED_NESTED_CPU_H_
#define DUMP_NESTED_NESTED_CPU_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "base/physical_memory.h"
#include "dump/nested/abi/vmcb12.h"
#include "dump/nested/fields/state_fields.h"
#include "dump/nested/nested_state_note.h"
#include "dump/nested/vmx/vmcs_region.h"

namespace vmm {

struct NestedCpu {
  enum class Source {
    kRunning,  // the nested state of a vCPU of L1 that runs L2; this vCPU's registers are L2's
    kCurrent,  // the nested state of a vCPU in L1 with a current VMCS; the page in memory is stale
    kMemory,   // found in L1's memory
  };
  Source source = Source::kMemory;
  GuestAddr at;                     // its page in L1's memory
  std::optional<uint32_t> l1_vcpu;  // set unless kMemory

  // If `source` is kRunning, a Vmcb12 has L2's control area, but L1's state in its save area.
  std::variant<VmcsRegion, Vmcb12> region;
  Vmcs12Layout layout = kNewestVmcs12Layout;

  // Why this is not a vCPU of an L2: "a shadow VMCS", "host_cr4 0x0 has no VMXE". Empty: it is one.
  std::string not_a_vcpu;

  bool vmx() const { return std::holds_alternative<VmcsRegion>(region); }
};

struct NestedCpus {
  std::vector<NestedCpu> cpus;       // from notes, then from memory, ascending
  std::vector<std::string> remarks;  // notes that could not be read, or are odd
};

// Limit on `cpus` for one dump, so that a dump that is nothing but VMCSs is not shown forever.
inline constexpr size_t kMaxNestedCpus = 4096;

// `notes` are a dump's nested-state notes. Errors come from reading `l1`, L1's RAM.
absl::StatusOr<NestedCpus> FindNestedCpus(const PhysicalMemory& l1, std::span<const NestedStateNote> notes);

// "vmcs12 at 0x2000, current in vCPU 0, where L2 runs"
std::string TitleOf(const NestedCpu& cpu);

// Describes every field. For a VMCB whose save area is not L2's, only the control area.
std::vector<StateField> DescribeNestedCpu(const NestedCpu& cpu);

}  // namespace vmm

#endif  // DUMP_NESTED_NESTED_CPU_H_
