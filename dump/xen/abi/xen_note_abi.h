// The note XEN_ELFNOTE_CRASH_INFO of a core of a whole Xen machine (xen/include/public/elfnote.h).
// docs/abi/xen-notes.md says who reads it.
#ifndef DUMP_XEN_ABI_XEN_NOTE_ABI_H_
#define DUMP_XEN_ABI_XEN_NOTE_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

inline constexpr char kXenNoteName[] = "Xen";
inline constexpr uint32_t kXenCrashInfoType = 0x1000001;

struct XenCrashInfo {
  uint64_t major_version;
  uint64_t minor_version;
  uint64_t extra_version;
  uint64_t changeset;
  uint64_t compiler;
  uint64_t compile_date;
  uint64_t compile_time;
  uint64_t tainted;
  uint64_t xen_phys_start;
  uint64_t dom0_pfn_to_mfn_frame_list_list;  // an MFN
};
static_assert(sizeof(XenCrashInfo) == 80);
static_assert(offsetof(XenCrashInfo, xen_phys_start) == 64);

// The registers of one physical CPU, as a QEMU note has them (QemuCpuState), under a name that crash does not know: a
// core with a note "QEMU" is no Xen core to crash. n_type 0.
inline constexpr char kXenCpuNoteName[] = "VMM-CPU";

}  // namespace vmm

#endif  // DUMP_XEN_ABI_XEN_NOTE_ABI_H_
