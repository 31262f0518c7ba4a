// The names and the owners of files that are not whole yet.
//
// A file is written as ".NAME.partial.RANDOM" by a process that holds flock(2) on it until it has its
// final name or is removed. A process that is killed leaves it there without its lock, which is how
// the next one knows that nobody will finish it.
#ifndef BASE_PARTIAL_FILE_H_
#define BASE_PARTIAL_FILE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/output_dir.h"
#include "base/unique_fd.h"

namespace vmm {

struct PartialFile {
  std::string name;
  UniqueFd fd;
};

// A new, empty file for `name`, one path component: read-write, ours alone (0600), locked. On a file
// system without locks it is not locked, and then nobody ever takes it for abandoned.
absl::StatusOr<PartialFile> CreatePartialFile(const OutputDir& dir, std::string_view name);

// True iff CreatePartialFile could have made up this name.
bool IsPartialName(std::string_view name);

// Removes the regular files of this user in `dir` that have such a name and that nobody writes any
// more. Returns how many; what cannot be looked at or removed stays.
int RemoveAbandonedFiles(const OutputDir& dir);

}  // namespace vmm

#endif  // BASE_PARTIAL_FILE_H_
