// The place that --result names, opened before the guest runs, so that a record that could not be written is an error
// before an hour of guest time, not after it.
//
// A regular file, or a name that is still free, is replaced whole (base/replaced_file.h). Whatever else has the name
// stays and is written to: a FIFO, a terminal, /dev/null, or a descriptor of ours (/dev/stdout, /dev/fd/N).
#ifndef BASE_RESULT_FILE_H_
#define BASE_RESULT_FILE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace vmm {

// The number in /dev/fd/N, /dev/stdout and the like, and 1 for "-". Nothing for other paths.
std::optional<int> OwnDescriptor(std::string_view path);

// Used by one thread at a time. The process must ignore SIGPIPE by the time that Write() is called.
class ResultFile {
 public:
  // A reader that takes nothing for so long is given up, and one that does not open the FIFO.
  static constexpr absl::Duration kPatience = absl::Seconds(10);

  // `path` as --result has it; "-" is standard output. A symlink is followed. Refused are directories, block devices,
  // sockets in a file system, symlinks to nothing, descriptors that are not open for writing, and whatever the process
  // has no right to. /dev/fd/N is a descriptor that the process was started with: those that are close-on-exec are not.
  static absl::StatusOr<std::unique_ptr<ResultFile>> Open(const std::string& path);

  virtual ~ResultFile() = default;

  // Writes the record, and waits until it is on the disk where there is one. Never waits for a reader longer than
  // `patience` without a byte taken, and at most a second once `stop_fd` is readable (-1: nothing stops). Call it once.
  virtual absl::Status Write(std::string_view text, int stop_fd, absl::Duration patience = kPatience) = 0;
};

}  // namespace vmm

#endif  // BASE_RESULT_FILE_H_
