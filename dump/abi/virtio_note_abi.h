// The VMM-VIRTIO note: what the virtio devices were doing when the machine stopped (docs/abi/virtio-note.md). Text,
// because a device says in its own words what a request is.
#ifndef DUMP_ABI_VIRTIO_NOTE_ABI_H_
#define DUMP_ABI_VIRTIO_NOTE_ABI_H_

#include <cstddef>

namespace vmm {

inline constexpr char kVirtioNoteName[] = "VMM-VIRTIO";  // n_type 0
inline constexpr size_t kVirtioNoteMaxBytes = 64 << 10;

}  // namespace vmm

#endif  // DUMP_ABI_VIRTIO_NOTE_ABI_H_
