// Replaces a regular file as a whole, atomically: a reader sees either the old bytes or the new ones. The new bytes go
// to a partial file beside it (base/partial_file.h). That file is created first, so a directory that cannot
// be written to is an error before any work is done.
#ifndef BASE_REPLACED_FILE_H_
#define BASE_REPLACED_FILE_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/output_dir.h"
#include "base/partial_file.h"

namespace vmm {

// Used by one thread at a time. If it is destroyed without Commit(), the old file stays and the partial one is removed.
class ReplacedFile {
 public:
  // `name` is one path component. It must be absent in `dir` or a regular file, else FailedPrecondition. Removes files
  // in `dir` that killed processes of this user left half-written. The new file has the permission bits of the old one,
  // or 0666 less the umask if there was none. REQUIRES: no other thread creates files meanwhile (reading the umask
  // means setting it).
  static absl::StatusOr<std::unique_ptr<ReplacedFile>> Create(OutputDir dir, std::string name);

  ReplacedFile(const ReplacedFile&) = delete;
  ReplacedFile& operator=(const ReplacedFile&) = delete;
  ~ReplacedFile();

  // Makes `text` the file's content, and waits until file and directory are on the disk. FailedPrecondition if the name
  // now refers to something other than a regular file. Call it once.
  absl::Status Commit(std::string_view text);

 private:
  ReplacedFile(OutputDir dir, std::string name, mode_t mode, PartialFile file)
      : dir_(std::move(dir)), name_(std::move(name)), mode_(mode), file_(std::move(file)) {}

  absl::Status WriteAndSync(std::string_view text);

  const OutputDir dir_;
  const std::string name_;
  const mode_t mode_;
  PartialFile file_;
  bool committed_ = false;
};

}  // namespace vmm

#endif  // BASE_REPLACED_FILE_H_
