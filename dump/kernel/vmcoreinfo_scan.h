// Finds VMCOREINFO in guest RAM from outside, without help from the guest.
//
// Since 4.12, Linux builds a whole ELF note at boot, in pages of its own, so a look at the first bytes of each page
// that was ever touched finds it. Older kernels have it anywhere in their data, at a multiple of 4. The same bytes may
// lie in RAM more than once (the kernel before a kexec, a guest of the guest, a vmcore in the page cache, a prank). So
// the scan offers candidates, and the caller decides which one belongs to the running kernel.
#ifndef DUMP_KERNEL_VMCOREINFO_SCAN_H_
#define DUMP_KERNEL_VMCOREINFO_SCAN_H_

#include <functional>

#include "base/budget.h"
#include "base/guest_addr.h"
#include "base/physical_memory.h"
#include "dump/snapshot/vmcoreinfo.h"

namespace vmm {

// Each search costs at most kVmcoreInfoBudget. It ends after this many bytes of candidates, each counted as at least
// kMinCandidate. A real guest has one or two, and a guest that wants to keep us busy must not succeed.
inline constexpr uint64_t kCandidateBudget = kVmcoreInfoBudget.bytes;
inline constexpr uint64_t kMinCandidate = 2048;

// Calls `visit` for each place in `memory` that may hold VMCOREINFO, until `visit` returns true. There are two rounds,
// each in ascending order: first notes at the start of a page, then pages that begin with "OSRELEASE=", the text from
// which the kernel makes the note. Returns true if `visit` did. Leaves untouched memory alone.
absl::StatusOr<bool> ScanForVmcoreInfo(const PhysicalMemory& memory,
                                       const std::function<bool(GuestAddr at, VmcoreInfo info)>& visit);

// The same for notes at any other multiple of 4 in `image`. Reads all of the image's touched memory.
absl::StatusOr<bool> ScanImageForVmcoreInfo(const PhysicalMemory& memory, GuestRange image,
                                            const std::function<bool(GuestAddr at, VmcoreInfo info)>& visit);

}  // namespace vmm

#endif  // DUMP_KERNEL_VMCOREINFO_SCAN_H_
