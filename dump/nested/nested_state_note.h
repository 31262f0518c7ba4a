// Our note with the nested state of a vCPU. Format: docs/abi/nested-notes.md.
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

// The note begins with this header. The bytes of KVM_GET_NESTED_STATE follow.
struct NestedStateNoteHeader {
  uint32_t version;
  uint32_t vcpu;      // index of the vCPU, and of its PRSTATUS
  uint32_t level;     // of the registers in that PRSTATUS: 1 for L1, 2 for L2
  uint32_t layout;    // Vmcs12Layout
  uint32_t max_size;  // KVM_CAP_NESTED_STATE
  uint32_t reserved;  // 0
};
static_assert(sizeof(NestedStateNoteHeader) == 24);
static_assert(offsetof(NestedStateNoteHeader, level) == 8);
static_assert(offsetof(NestedStateNoteHeader, max_size) == 16);

// A note in parts. `state` is the input of NestedState::Parse(). It is kept unchanged, so that a state that Parse()
// refuses can still be looked at.
struct NestedStateNote {
  uint32_t vcpu = 0;
  uint32_t level = 1;
  Vmcs12Layout layout = Vmcs12Layout::kFrozen;
  uint32_t max_size = 0;
  std::span<const uint8_t> state;  // not owned

  // The note's descriptor.
  std::string Serialise() const;

  // InvalidArgument for a descriptor that is too short for a state, or for a level that is neither 1 nor 2.
  // Unimplemented for a version other than ours. A layout newer than ours counts as the newest we know, because it has
  // all fields of that one. The result points into `desc`.
  static absl::StatusOr<NestedStateNote> Parse(std::span<const uint8_t> desc);
};

}  // namespace vmm

#endif  // DUMP_NESTED_NESTED_STATE_NOTE_H_
