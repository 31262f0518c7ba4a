// What a dump says of guest hypervisors: from the vCPUs' states to the notes of
// docs/abi/nested-notes.md.
#ifndef DUMP_NESTED_NESTED_NOTES_H_
#define DUMP_NESTED_NESTED_NOTES_H_

#include <span>
#include <string_view>
#include <vector>

#include "dump/nested/vmx/vmcs12_fields.h"
#include "dump/snapshot/core_note.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

// The fields of vmcs12 that the KVM of a kernel knows, by `release` as uname has it
// ("6.18.1-amd64"). What cannot be read is taken for an old one.
Vmcs12Layout Vmcs12LayoutOf(std::string_view release);

// A VMM-NESTED note for each vCPU that is in VMX operation or has EFER.SVME set, then, where one of
// them is of VMX, VMCSINFO. Empty where no guest is a hypervisor. `cpus` are in the order of their
// PRSTATUS notes, `layout` is that of the KVM which they ran on.
std::vector<CoreNote> MakeNestedNotes(std::span<const CpuState> cpus, Vmcs12Layout layout);

}  // namespace vmm

#endif  // DUMP_NESTED_NESTED_NOTES_H_
