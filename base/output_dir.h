// A directory that takes our output. It is opened before the guest runs, so that a wrong
// path is an error before a kernel is booted for nothing, and all later names are relative
// to its descriptor: nobody can put another directory in its place meanwhile.
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
  // Fails where `path` is no directory or cannot be opened. Whether a file can be made in
  // it is seen when one is made.
  static absl::StatusOr<OutputDir> Open(std::string path);

  // As given to Open().
  const std::string& path() const { return path_; }
  int fd() const { return fd_.get(); }

  // "path/name", for messages and reports only; files are opened relative to fd().
  std::string PathOf(std::string_view name) const;

  // Bytes that an unprivileged writer may still put on its file system; Unavailable where
  // that cannot be told.
  absl::StatusOr<uint64_t> FreeBytes() const;

 private:
  OutputDir(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::string path_;
  UniqueFd fd_;
};

}  // namespace vmm

#endif  // BASE_OUTPUT_DIR_H_
