// A regular file that is replaced whole, atomically: a reader sees the old bytes or the new ones. The new bytes go to a
// partial file beside it (base/partial_file.h), which exists from the start on, so that a directory that cannot be
// written to is an error before any work is done.
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

// Used by one thread at a time. Destroyed without Commit(), it leaves the old file and takes the partial one away.
class ReplacedFile {
 public:
  // `name`, one path component, is absent in `dir` or a regular file; FailedPrecondition for anything else. Removes
  // what killed processes of this user left half-written in `dir`. The new file has the permission bits of the old one;
  // without an old one they are 0666 less the umask. REQUIRES: no other thread creates files meanwhile (the umask is
  // read by setting it).
  static absl::StatusOr<std::unique_ptr<ReplacedFile>> Create(OutputDir dir, std::string name);

  ReplacedFile(const ReplacedFile&) = delete;
  ReplacedFile& operator=(const ReplacedFile&) = delete;
  ~ReplacedFile();

  // Makes `text` the file's content, and waits until file and directory are on the disk. FailedPrecondition where the
  // name has come to mean something else than a regular file. Call it once.
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
