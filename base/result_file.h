// The output that --result names. It is opened before the guest runs, so a record that could not be written is an error
// before an hour of guest time, not after it.
//
// A regular file, or a name that is still free, is replaced as a whole (base/replaced_file.h). Anything else stays and
// is written to: a FIFO, a terminal, /dev/null, or one of our descriptors (/dev/stdout, /dev/fd/N).
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

// Used by one thread at a time. The process must ignore SIGPIPE before it calls Write().
class ResultFile {
 public:
  // Give up after this long on a reader that takes nothing, or that does not open the FIFO.
  static constexpr absl::Duration kPatience = absl::Seconds(10);

  // `path` is the argument of --result; "-" is standard output. A symlink is followed. Refused: directories, block
  // devices, sockets in a file system, symlinks to nothing, descriptors that are not open for writing, and everything
  // that the process has no right to. /dev/fd/N is a descriptor that the process was started with, so close-on-exec
  // descriptors are refused too.
  static absl::StatusOr<std::unique_ptr<ResultFile>> Open(const std::string& path);

  virtual ~ResultFile() = default;

  // Writes the record, and waits until it is on the disk if it goes to one. Gives up on a reader that takes no byte for
  // `patience`, or for one second after `stop_fd` becomes readable (-1: nothing stops it). Call it once.
  virtual absl::Status Write(std::string_view text, int stop_fd, absl::Duration patience = kPatience) = 0;
};

}  // namespace vmm

#endif  // BASE_RESULT_FILE_H_
