// The note that makes a core of a whole Xen machine a dom0 session of crash.
#ifndef DUMP_XEN_CRASH_INFO_NOTE_H_
#define DUMP_XEN_CRASH_INFO_NOTE_H_

#include <optional>
#include <span>

#include "dump/snapshot/core_note.h"
#include "dump/snapshot/vm_snapshot.h"
#include "dump/xen/xen_machine.h"

namespace vmm {

// XEN_ELFNOTE_CRASH_INFO with the fields that are known: the rest is 0, which crash accepts. None if dom0 is not known.
std::optional<CoreNote> CrashInfoNote(const XenMachine& xen);

// The same for a snapshot of any machine. None, after a look at the CPUs, if it does not run Xen; none if dom0 is not
// found within the budget, or if the snapshot has such a note already.
std::optional<CoreNote> CrashInfoNoteFor(const VmSnapshot& snapshot);

// True if one of `notes` is XEN_ELFNOTE_CRASH_INFO.
bool HasCrashInfo(std::span<const CoreNote> notes);

}  // namespace vmm

#endif  // DUMP_XEN_CRASH_INFO_NOTE_H_
