// A dump file, opened for reading. Nothing of it is mapped, so a file that is cut short while we
// read it is an error and not a SIGBUS, and a hole is never read.
#ifndef BASE_CORE_FILE_H_
#define BASE_CORE_FILE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace vmm {

// Any thread may call const methods.
class CoreFile {
 public:
  // Errors name `path`. InvalidArgument where it is no regular file.
  static absl::StatusOr<CoreFile> Open(const std::string& path);

  // Takes `fd`, open for reading; `path` is only for messages.
  static absl::StatusOr<CoreFile> Take(UniqueFd fd, std::string path);

  const std::string& path() const { return path_; }

  // In bytes, as it was when the file was opened.
  uint64_t size() const { return size_; }

  // The bytes that have blocks on the disk.
  uint64_t allocated() const { return allocated_; }

  // Fills `out` from `offset` on. DataLoss where the file ends before.
  absl::Status ReadAt(uint64_t offset, std::span<uint8_t> out) const;

  struct Extent {
    uint64_t offset = 0;
    uint64_t size = 0;
  };
  // The parts of `within` that are not holes (SEEK_DATA), ascending. More than `max` of them are
  // ResourceExhausted. `within` lies inside the file.
  absl::StatusOr<std::vector<Extent>> DataExtents(Extent within, size_t max) const;

 private:
  CoreFile(UniqueFd fd, std::string path, uint64_t size, uint64_t allocated)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size), allocated_(allocated) {}

  UniqueFd fd_;
  std::string path_;
  uint64_t size_ = 0;
  uint64_t allocated_ = 0;
};

}  // namespace vmm

#endif  // BASE_CORE_FILE_H_
