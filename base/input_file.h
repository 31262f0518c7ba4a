// Opens every file that the user names. Nobody vouches for such a file: it may be a FIFO, a directory, an endless
// device, empty or huge, and another process may cut it short while we read it.
#ifndef BASE_INPUT_FILE_H_
#define BASE_INPUT_FILE_H_

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace vmm {

// The file sizes that a use allows, in bytes.
struct InputSize {
  uint64_t most = ~uint64_t{0};
  bool may_be_empty = false;
};

// Reads with pread(2) and never maps, because a mapped file that shrinks raises SIGBUS. Errors do not name the path;
// the caller adds it. Any thread may call const methods.
class InputFile {
 public:
  // Opens a regular file, or a symbolic link to one, without blocking. Otherwise InvalidArgument says what kind of file
  // it is (a FIFO, a block device) or which limit its size breaks. Block devices are refused too, because all checks of
  // a dump for missing parts rest on the file's size.
  static absl::StatusOr<InputFile> Open(const std::string& path, InputSize allowed = {});

  // The same checks for `fd`, which must be open for reading.
  static absl::StatusOr<InputFile> Take(UniqueFd fd, InputSize allowed = {});

  uint64_t size() const { return size_; }            // in bytes, when it was opened
  uint64_t allocated() const { return allocated_; }  // bytes that have blocks on the disk
  int fd() const { return fd_.get(); }               // still owned by this object

  // Fills `out` from `offset` on. DataLoss if the file has become too short for that.
  absl::Status Read(uint64_t offset, std::span<uint8_t> out) const;

  // All the bytes that the file had when it was opened. The caller must have limited size().
  absl::StatusOr<std::string> ReadAll() const;

 private:
  InputFile(UniqueFd fd, uint64_t size, uint64_t allocated) : fd_(std::move(fd)), size_(size), allocated_(allocated) {}

  UniqueFd fd_;
  uint64_t size_;
  uint64_t allocated_;
};

// The bytes of a file of at most `most` bytes, or of an anonymous pipe: a shell's <(command), or a /dev/stdin that
// another program writes. A pipe must deliver everything within `pipe_milliseconds` (DeadlineExceeded). A FIFO with a
// name in a file system is refused like any other special file.
absl::StatusOr<std::string> ReadSmallInput(const std::string& path, uint64_t most, int pipe_milliseconds = 10'000);

}  // namespace vmm

#endif  // BASE_INPUT_FILE_H_
