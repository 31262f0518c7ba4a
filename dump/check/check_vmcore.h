// Checks that every reader opens a vmcore. This is the checklist of docs/abi/vmcore.md as a program: for `vmcore
// check`, and for our own dumps before they get their names.
#ifndef DUMP_CHECK_CHECK_VMCORE_H_
#define DUMP_CHECK_CHECK_VMCORE_H_

#include <string>
#include <vector>

#include "dump/check/finding.h"
#include "dump/kernel/find_kernel.h"
#include "dump/read/vmcore.h"

namespace vmm {

struct CheckResult {
  bool opened = true;  // false: `format` is not known
  VmcoreFormat format = VmcoreFormat::kElf;
  std::vector<Finding> findings;  // in the order of the file: header, program headers, notes, kernel
};

// Reads headers, notes, page tables and the kernel's image. Reads no other RAM, unless `core` has no VMCOREINFO that
// leads to a kernel: then it searches RAM for one.
CheckResult CheckVmcore(const Vmcore& core);

// The same with a kernel that the caller has looked for already.
CheckResult CheckVmcore(const Vmcore& core, const FoundKernel& kernel);

// The result for a file that cannot be opened, for the reason `why`: one finding, which breaks every reader. It is
// "truncated" if `why` IsCutShort(), else "unreadable".
CheckResult CheckUnreadable(const absl::Status& why);

// The same as CheckVmcore() for the file at `path`.
CheckResult CheckVmcoreFile(const std::string& path);

}  // namespace vmm

#endif  // DUMP_CHECK_CHECK_VMCORE_H_
