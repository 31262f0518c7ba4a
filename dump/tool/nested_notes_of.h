// Finds the nested-state notes of an opened vmcore.
#ifndef DUMP_TOOL_NESTED_NOTES_OF_H_
#define DUMP_TOOL_NESTED_NOTES_OF_H_

#include <string>
#include <vector>

#include "dump/nested/nested_state_note.h"
#include "dump/read/vmcore.h"

namespace vmm {

struct NestedNotesOfCore {
  std::vector<NestedStateNote> notes;  // they point into the core
  std::vector<std::string> remarks;    // about notes that cannot be read
};

// `core` must outlive the result.
NestedNotesOfCore NestedNotesOf(const Vmcore& core);

}  // namespace vmm

#endif  // DUMP_TOOL_NESTED_NOTES_OF_H_
