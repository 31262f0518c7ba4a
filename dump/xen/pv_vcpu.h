// The vCPUs of PV guests that the physical CPUs ran, from the registers of these and from Xen's own stacks.
#ifndef DUMP_XEN_PV_VCPU_H_
#define DUMP_XEN_PV_VCPU_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/physical_memory.h"
#include "dump/snapshot/cpu_state.h"
#include "dump/xen/xen_machine.h"

namespace vmm {

struct PvVcpu {
  uint32_t id = 0;             // Linux's CPU number, too
  uint16_t domain_id = 0;      // dom0 has 0
  size_t physical_cpu = 0;     // index of its registers in the dump
  CpuState registers;          // CR3 is pseudo-physical
  std::string registers_from;  // in words
};

// The vCPUs of `domain`, ascending by ID, each once. A vCPU that no physical CPU ran is not among them. Reads a few
// hundred bytes for each CPU: none of them is trusted.
std::vector<PvVcpu> FindPvVcpus(const PhysicalMemory& machine, std::span<const CpuState> cpus, const PvDomain& domain);

// The registers of the vCPUs 0 to the last of `vcpus`; those that are not known have not started. At least one.
std::vector<CpuState> CpusOf(std::span<const PvVcpu> vcpus);

}  // namespace vmm

#endif  // DUMP_XEN_PV_VCPU_H_
