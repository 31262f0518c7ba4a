// Shows what the virtio devices were doing when the machine stopped (note VMM-VIRTIO).
#ifndef DUMP_TOOL_VIRTIO_TEXT_H_
#define DUMP_TOOL_VIRTIO_TEXT_H_

#include <ostream>

#include "dump/read/vmcore.h"

namespace vmm {

// Prints a heading first. Prints nothing if there is no such note.
void PrintVirtio(const Vmcore& core, std::ostream& out);

}  // namespace vmm

#endif  // DUMP_TOOL_VIRTIO_TEXT_H_
