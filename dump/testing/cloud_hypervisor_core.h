// The core that cloud-hypervisor would write of a made-up guest.
//
// Modelled field by field on its feature guest_debug, as of 2026-08: vmm/src/coredump.rs (ELF and program headers, the
// layout of the notes), cpu_write_elf64_note() and cpu_write_vmm_note() of vmm/src/cpu.rs, get_dump_state() of
// vmm/src/vm.rs (the order in the file) and coredump_memory_regions() of vmm/src/memory_manager.rs. No test reads a
// file that cloud-hypervisor itself wrote, because it needs KVM and is in no distribution that the tests run on.
//
//   - One PT_NOTE, then a PT_LOAD for each mapping of RAM, ascending: p_vaddr 0, p_flags 0, p_align 0.
//   - CORE of all vCPUs, then QEMU of all. No VMCOREINFO, even if the guest has one.
//   - pr_pid is the vCPU's number, from 0. cr[1] of the QEMU note is CR8. A vCPU that never ran has its reset
//     registers.
//   - RAM follows directly after the notes, on no page boundary, and dense.
#ifndef DUMP_TESTING_CLOUD_HYPERVISOR_CORE_H_
#define DUMP_TESTING_CLOUD_HYPERVISOR_CORE_H_

#include <string>

#include "dump/snapshot/vm_snapshot.h"

namespace vmm {

// Returns the bytes of the whole file, with one mapping for each range of the snapshot's memory.
std::string CloudHypervisorCore(const VmSnapshot& snapshot);

}  // namespace vmm

#endif  // DUMP_TESTING_CLOUD_HYPERVISOR_CORE_H_
