// A directory for our output. It is opened before the guest runs, so a wrong path is an error before a kernel boots for
// nothing. All later names are relative to its descriptor, so nobody can put another directory in its place meanwhile.
#ifndef BASE_OUTPUT_DIR_H_
#define BASE_OUTPUT_DIR_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace vmm {

// Immutable once open: any thread may call.
class OutputDir {
 public:
  // Fails if `path` is not a directory or cannot be opened. It does not check whether a file can be created in it; that
  // shows when one is created.
  static absl::StatusOr<OutputDir> Open(std::string path);

  // As given to Open().
  const std::string& path() const { return path_; }
  int fd() const { return fd_.get(); }

  // "path/name", for messages and reports only; files are opened relative to fd().
  std::string PathOf(std::string_view name) const;

  // Bytes that an unprivileged writer may still put on its file system. Unavailable if that cannot be determined.
  absl::StatusOr<uint64_t> FreeBytes() const;

 private:
  OutputDir(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::string path_;
  UniqueFd fd_;
};

}  // namespace vmm

#endif  // BASE_OUTPUT_DIR_H_
