#include "dump/xen/crash_info_note.h"

#include <algorithm>

#include "base/bytes.h"
#include "dump/xen/abi/xen_note_abi.h"

namespace vmm {

std::optional<CoreNote> CrashInfoNote(const XenMachine& xen) {
  if (!xen.has_dom0) return std::nullopt;
  XenCrashInfo info = {};
  if (xen.version.has_value()) {
    info.major_version = xen.version->major;
    info.minor_version = xen.version->minor;
  }
  info.xen_phys_start = xen.xen_phys_start.value_or(0);
  info.dom0_pfn_to_mfn_frame_list_list = xen.domains[0].info.list_list;
  return CoreNote{kXenNoteName, kXenCrashInfoType, StringOf(info)};
}

std::optional<CoreNote> CrashInfoNoteFor(const VmSnapshot& snapshot) {
  if (!RunsXen(snapshot.cpus) || HasCrashInfo(snapshot.all_notes)) return std::nullopt;
  const absl::StatusOr<XenMachine> xen = FindXen(*snapshot.memory, snapshot.cpus);
  return xen.ok() ? CrashInfoNote(*xen) : std::nullopt;
}

bool HasCrashInfo(std::span<const CoreNote> notes) {
  return std::ranges::any_of(notes, [](const CoreNote& note) { return note.type == kXenCrashInfoType; });
}

}  // namespace vmm
