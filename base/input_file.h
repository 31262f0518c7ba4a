// A file that the user names (kernel, initrd) and nobody vouches for: it may be a FIFO, a
// directory, empty, huge, or cut short by another process while it is read.
#ifndef BASE_INPUT_FILE_H_
#define BASE_INPUT_FILE_H_

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace vmm {

// Read with pread(2), never mapped: a mapped file that shrinks is a SIGBUS.
class InputFile {
 public:
  // Opens a regular file that is not empty. Opening never blocks.
  static absl::StatusOr<InputFile> Open(const std::string& path);

  uint64_t size() const { return size_; }  // when it was opened, at least 1

  // Fills `out` from `offset` on. DataLoss where the file has become too short for it.
  absl::Status Read(uint64_t offset, std::span<uint8_t> out) const;

 private:
  InputFile(UniqueFd fd, uint64_t size) : fd_(std::move(fd)), size_(size) {}

  UniqueFd fd_;
  uint64_t size_;
};

}  // namespace vmm

#endif  // BASE_INPUT_FILE_H_
