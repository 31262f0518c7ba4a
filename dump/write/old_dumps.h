// Removes old dumps, so that a directory of dumps does not grow without end.
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
  absl::Status status;             // the first error in listing, examining or removing them
};

// Works on the vmcores in `dir` that vmm wrote and named for this user. Keeps `newest` and the `keep` - 1 most recently
// written ones before it, and removes the others with their NAME.gdb. `keep` is at least 1.
//
// A vmcore is ours if it is a regular file of this user, has a name that we give (vmcore, vmcore.1, ...), and is an ELF
// core or kdump file that holds our own note "VMM". Nothing else is ever touched: to keep a dump for good, give it
// another name.
RemovedDumps RemoveOldDumps(const OutputDir& dir, int keep, std::string_view newest);

}  // namespace vmm

#endif  // DUMP_WRITE_OLD_DUMPS_H_
