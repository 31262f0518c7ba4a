// Makes a dump's notes about guest hypervisors (docs/abi/nested-notes.md) from the states of the vCPUs.
#ifndef DUMP_NESTED_NESTED_NOTES_H_
#define DUMP_NESTED_NESTED_NOTES_H_

#include <span>
#include <string_view>
#include <vector>

#include "dump/nested/vmx/vmcs12_fields.h"
#include "dump/snapshot/core_note.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

// The vmcs12 fields that a kernel's KVM knows. `release` is the kernel's, as uname prints it ("6.18.1-amd64"). An
// unreadable release counts as an old one.
Vmcs12Layout Vmcs12LayoutOf(std::string_view release);

// Makes a VMM-NESTED note for each vCPU that is in VMX operation or has EFER.SVME set, then a VMCSINFO note if one of
// them uses VMX. Empty if the guest is no hypervisor. `cpus` are in the order of their PRSTATUS notes. `layout` is that
// of the KVM on which they ran.
std::vector<CoreNote> MakeNestedNotes(std::span<const CpuState> cpus, Vmcs12Layout layout);

}  // namespace vmm

#endif  // DUMP_NESTED_NESTED_NOTES_H_
