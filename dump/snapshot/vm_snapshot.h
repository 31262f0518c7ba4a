// All that a dump needs, as plain data, taken while no vCPU runs. dump/ knows a machine by
// this and by nothing else.
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
  // One for each vCPU that the guest can see, in the order of its MADT, which is Linux's
  // CPU order; also those that were never started.
  std::vector<CpuState> cpus;

  // RAM; not owned. It must not change while a dump is made from this snapshot.
  const PhysicalMemory* memory = nullptr;

  // RAM whose bytes are lost, because the snapshot is of a dump that is cut short: ascending, disjoint,
  // page-aligned, and no part of `memory`. A dump that is made from this one says that it is missing.
  std::vector<GuestRange> missing_ram;

  // Where else than by a search of RAM VMCOREINFO may be found. It is believed no more than what the
  // search finds.
  std::optional<VmcoreInfo> given_vmcoreinfo;    // by the user
  std::optional<GuestRange> vmcoreinfo_note_at;  // by the guest: where its note is, and of what size

  // Why the dump is taken, where a panic is the reason.
  std::optional<PanicEvent> panic;

  // Notes beyond those that every dump has, in the order in which they shall stand. Their type
  // must be 0, the one that crash takes for no known note; their names are ours to choose.
  std::vector<CoreNote> more_notes;

  // Where it is not empty, these are all notes there are, in place of those made of the above: a dump
  // that is made from another keeps that one's.
  std::vector<CoreNote> all_notes;
};

}  // namespace vmm

#endif  // DUMP_SNAPSHOT_VM_SNAPSHOT_H_
