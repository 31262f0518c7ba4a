// A directory of dumps that is not to grow without end.
#ifndef DUMP_WRITE_OLD_DUMPS_H_
#define DUMP_WRITE_OLD_DUMPS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/output_dir.h"

namespace vmm {

struct RemovedDumps {
  std::vector<std::string> names;  // of the vmcores, oldest first
  absl::Status status;             // the first that could not be removed or looked at
};

// Of the vmcores in `dir` that vmm wrote and named for this user, leaves `newest` and those `keep` - 1 that
// were written last before it, and removes the others with their NAME.gdb. `keep` is at least 1.
//
// A vmcore of ours is a regular file of this user that has the name which we gave it (vmcore, vmcore.1, ...)
// and in it, an ELF core or a kdump file, our own note "VMM". Nothing else is ever touched: to keep a dump
// for good, give it another name.
RemovedDumps RemoveOldDumps(const OutputDir& dir, int keep, std::string_view newest);

}  // namespace vmm

#endif  // DUMP_WRITE_OLD_DUMPS_H_
