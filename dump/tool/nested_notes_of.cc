#include "dump/tool/nested_notes_of.h"

#include "absl/strings/str_format.h"

namespace vmm {

NestedNotesOfCore NestedNotesOf(const Vmcore& core) {
  NestedNotesOfCore found;
  for (const VmcoreNote& note : core.notes()) {
    if (note.name != kNestedStateNoteName || note.type != 0) continue;
    const absl::StatusOr<NestedStateNote> parsed = NestedStateNote::Parse(note.desc);
    if (parsed.ok()) {
      found.notes.push_back(*parsed);
    } else {
      found.remarks.push_back(
          absl::StrFormat("note at 0x%x of the file: %s", note.offset, std::string(parsed.status().message())));
    }
  }
  return found;
}

}  // namespace vmm
