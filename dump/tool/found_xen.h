// A Xen machine in a dump, and its PV domains as machines of their own, for the commands.
#ifndef DUMP_TOOL_FOUND_XEN_H_
#define DUMP_TOOL_FOUND_XEN_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/kernel/find_kernel.h"
#include "dump/read/vmcore.h"
#include "dump/snapshot/vm_snapshot.h"
#include "dump/xen/pv_memory.h"
#include "dump/xen/pv_vcpu.h"
#include "dump/xen/xen_machine.h"

namespace vmm {

// None, after a look at its CPUs and notes, if `core` is not of a Xen machine. Errors are FindXen()'s.
absl::StatusOr<std::optional<XenMachine>> XenOf(const Vmcore& core);

// A PV domain with its memory. `snapshot` refers to `memory`.
struct PvGuest {
  std::unique_ptr<PvMemory> memory;
  std::vector<PvVcpu> vcpus;
  VmSnapshot snapshot;
};

// `core` must outlive the result. Errors are PvMemory's.
absl::StatusOr<PvGuest> OpenPvGuest(const Vmcore& core, const PvDomain& domain);

// "dom0, 131072 pages, shared_info at 0x3fdb6000"
std::string TitleOf(const XenMachine& xen, size_t domain);

// A JSON object of the same.
std::string JsonOf(const XenMachine& xen, size_t domain);

// The machine that a command about a Linux kernel looks at: the dump itself or, if it is of a Xen machine, its dom0.
struct LinuxOf {
  std::unique_ptr<PvGuest> dom0;  // null: the dump itself
  const PhysicalMemory* memory = nullptr;
  std::vector<CpuState> cpus;
  FoundKernel kernel;
  std::vector<std::string> remarks;
};

// `core` must outlive the result. If there is no dom0 that can be read, that is the dump itself, with a remark.
LinuxOf FindLinux(const Vmcore& core);

}  // namespace vmm

#endif  // DUMP_TOOL_FOUND_XEN_H_
