// Everything that a dump needs, as plain data, taken while no vCPU runs. dump/ knows a machine only through this.
#ifndef DUMP_SNAPSHOT_VM_SNAPSHOT_H_
#define DUMP_SNAPSHOT_VM_SNAPSHOT_H_

#include <optional>
#include <string>
#include <vector>

#include "base/guest_addr.h"
#include "base/panic_event.h"
#include "base/physical_memory.h"
#include "dump/snapshot/core_note.h"
#include "dump/snapshot/cpu_state.h"
#include "dump/snapshot/vmcoreinfo.h"

namespace vmm {

struct VmSnapshot {
  // One per vCPU that the guest can see, including those that were never started. They are in the order of the guest's
  // MADT, which is Linux's CPU order.
  std::vector<CpuState> cpus;

  // RAM; not owned. It must not change while a dump is made from this snapshot.
  const PhysicalMemory* memory = nullptr;

  // RAM whose bytes are lost because the snapshot is of a dump that was cut short. Ascending, disjoint, page-aligned,
  // and not part of `memory`. A dump made from this snapshot says that this RAM is missing.
  std::vector<GuestRange> missing_ram;

  // Sources of VMCOREINFO other than a search of RAM. They are trusted no more than a result of that search.
  std::optional<VmcoreInfo> given_vmcoreinfo;    // from the user
  std::optional<GuestRange> vmcoreinfo_note_at;  // from the guest: the address and size of its note

  // The panic for which the dump is taken. Empty: there was none.
  std::optional<PanicEvent> panic;

  // Notes in addition to those that every dump has, in the order in which they are written. Their type must be 0,
  // because crash takes it for no known note. Their names are ours to choose.
  std::vector<CoreNote> more_notes;

  // If not empty, the dump has exactly these notes, and none that are made from the fields above. A dump that is made
  // from another dump keeps that dump's notes in this way.
  std::vector<CoreNote> all_notes;
};

}  // namespace vmm

#endif  // DUMP_SNAPSHOT_VM_SNAPSHOT_H_
