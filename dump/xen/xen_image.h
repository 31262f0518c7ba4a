// What can be known of Xen's own image without its symbols.
#ifndef DUMP_XEN_XEN_IMAGE_H_
#define DUMP_XEN_XEN_IMAGE_H_

#include <cstdint>
#include <optional>
#include <span>

#include "absl/status/statusor.h"
#include "base/meter.h"
#include "base/physical_memory.h"
#include "dump/xen/frame_set.h"
#include "dump/xen/xen_version.h"

namespace vmm {

// xen_phys_start: the physical address of XEN_VIRT_START, from the first of `roots` (each as in CR3) that maps Xen's
// image. Xen maps itself into the page tables of every PV guest.
std::optional<uint64_t> FindXenPhysStart(const PhysicalMemory& machine, std::span<const uint64_t> roots);

// The first line of Xen's log, "Xen version 4.17.7 (Debian ...) ...": first looks near `phys_start`, then in all memory
// that is not in `owned`, the domains' own: a guest can write what it likes. None: the log has gone over it. Each page
// is a step. Errors are those of reading, and the meter's.
absl::StatusOr<std::optional<XenVersion>> FindXenVersion(const PhysicalMemory& machine,
                                                         std::optional<uint64_t> phys_start, const FrameSet& owned,
                                                         Meter& meter);

}  // namespace vmm

#endif  // DUMP_XEN_XEN_IMAGE_H_
