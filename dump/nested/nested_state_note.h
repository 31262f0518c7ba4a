// Our note with the nested state of a vCPU. Form: docs/abi/nested-notes.md.
#ifndef DUMP_NESTED_NESTED_STATE_NOTE_H_
#define DUMP_NESTED_NESTED_STATE_NOTE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "dump/nested/vmx/vmcs12_fields.h"

namespace vmm {

inline constexpr std::string_view kNestedStateNoteName = "VMM-NESTED";  // type 0
inline constexpr uint32_t kNestedStateNoteVersion = 1;

// What the note begins with; the bytes of KVM_GET_NESTED_STATE follow.
struct NestedStateNoteHeader {
  uint32_t version;
  uint32_t vcpu;      // index of the vCPU: which PRSTATUS this belongs to
  uint32_t level;     // whose registers that PRSTATUS holds: 1 for L1, 2 for L2
  uint32_t layout;    // Vmcs12Layout
  uint32_t max_size;  // KVM_CAP_NESTED_STATE
  uint32_t reserved;  // 0
};
static_assert(sizeof(NestedStateNoteHeader) == 24);
static_assert(offsetof(NestedStateNoteHeader, level) == 8);
static_assert(offsetof(NestedStateNoteHeader, max_size) == 16);

// A note in parts. `state` is what NestedState::Parse takes; it is kept as it is, so that one which
// that refuses is still there to be looked at.
struct NestedStateNote {
  uint32_t vcpu = 0;
  uint32_t level = 1;
  Vmcs12Layout layout = Vmcs12Layout::kFrozen;
  uint32_t max_size = 0;
  std::span<const uint8_t> state;  // not owned

  // The note's descriptor.
  std::string Serialise() const;

  // InvalidArgument for a descriptor that is too short for a state, or of a level that is none;
  // Unimplemented for a version that is not ours. A layout of the future is taken for the
  // newest we know: of that it has all fields. The result points into `desc`.
  static absl::StatusOr<NestedStateNote> Parse(std::span<const uint8_t> desc);
};

}  // namespace vmm

#endif  // DUMP_NESTED_NESTED_STATE_NOTE_H_
