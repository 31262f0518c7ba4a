// The virtio devices of a stopped machine as text, for the dump (docs/abi/virtio-note.md).
#ifndef VMM_RUN_VIRTIO_NOTE_H_
#define VMM_RUN_VIRTIO_NOTE_H_

#include <span>
#include <string>

#include "devices/virtio/virtio_mmio.h"

namespace vmm {

// Devices that no driver touched are left out. At most kVirtioNoteMaxBytes; a last line says if some are missing.
// Empty: there is nothing to tell.
std::string VirtioNoteText(std::span<const VirtioMmio::Report> reports);

}  // namespace vmm

#endif  // VMM_RUN_VIRTIO_NOTE_H_
