// Finding VMCOREINFO in guest RAM from outside, with no help of the guest.
//
// Linux (since 4.12) builds a whole ELF note at boot, in pages of its own. So one look at the
// first bytes of each page that was ever touched finds it. Older ones have it anywhere in their
// data, at a multiple of 4. The same bytes may lie in RAM more than once (the
// kernel before a kexec, a guest of the guest, a vmcore in the page cache, a prank), hence
// the candidates: who asks decides which is the running kernel's.
#ifndef DUMP_KERNEL_VMCOREINFO_SCAN_H_
#define DUMP_KERNEL_VMCOREINFO_SCAN_H_

#include <functional>

#include "base/guest_addr.h"
#include "base/physical_memory.h"
#include "dump/snapshot/vmcoreinfo.h"

namespace vmm {

// After that many bytes of candidates, each counted as at least kMinCandidate, the scan ends: a
// real guest has one or two, and one that wants to keep us busy must not succeed.
inline constexpr uint64_t kCandidateBudget = 64 << 20;
inline constexpr uint64_t kMinCandidate = 2048;

// Calls `visit` for each place in `memory` that may hold it, in two rounds
// of ascending order, until it returns true: notes at the start of a page; pages that begin with
// "OSRELEASE=", the text from which the kernel makes the note. Returns whether `visit` did. Touches
// no untouched memory.
absl::StatusOr<bool> ScanForVmcoreInfo(const PhysicalMemory& memory,
                                       const std::function<bool(GuestAddr at, VmcoreInfo info)>& visit);

// The same for notes at any other multiple of 4 of `image`, all of whose touched memory is read.
absl::StatusOr<bool> ScanImageForVmcoreInfo(const PhysicalMemory& memory, GuestRange image,
                                            const std::function<bool(GuestAddr at, VmcoreInfo info)>& visit);

}  // namespace vmm

#endif  // DUMP_KERNEL_VMCOREINFO_SCAN_H_
