// Names and owners of files that are not complete yet.
//
// A process writes such a file as ".NAME.partial.RANDOM" and holds flock(2) on it until the file has its final name or
// is removed. If the process is killed, the file stays without its lock. The next process sees the missing lock and
// knows that nobody will finish the file.
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

// Creates an empty file for `name`, which is one path component. The file is read-write, accessible to us alone (0600),
// and locked. If the file system has no locks, it is not locked, and nobody ever treats it as abandoned.
absl::StatusOr<PartialFile> CreatePartialFile(const OutputDir& dir, std::string_view name);

// True if CreatePartialFile could have made up this name.
bool IsPartialName(std::string_view name);

// Removes this user's regular files in `dir` that have such a name and that nobody is writing. Returns how many it
// removed. Files that it cannot inspect or remove stay.
int RemoveAbandonedFiles(const OutputDir& dir);

}  // namespace vmm

#endif  // BASE_PARTIAL_FILE_H_
