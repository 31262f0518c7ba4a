#include "base/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {

absl::StatusOr<InputFile> InputFile::Open(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) return ErrnoStatus(errno, "open");
  struct stat st = {};
  if (fstat(fd.get(), &st) != 0) return ErrnoStatus(errno, "stat");
  if (!S_ISREG(st.st_mode)) {
    const char* kind = S_ISDIR(st.st_mode) ? "a directory" : S_ISFIFO(st.st_mode) ? "a FIFO" : "a device or socket";
    return absl::InvalidArgumentError(absl::StrFormat("it is %s, not a regular file", kind));
  }
  if (st.st_size == 0) return absl::InvalidArgumentError("the file is empty");
  return InputFile(std::move(fd), static_cast<uint64_t>(st.st_size));
}

absl::Status InputFile::Read(uint64_t offset, std::span<uint8_t> out) const {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = pread(fd_.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, absl::StrFormat("read at offset %d", offset + done));
    if (n == 0) {
      return absl::DataLossError(absl::StrFormat("it ended at %d bytes while it was read; it had %d when it was opened",
                                                 offset + done, size_));
    }
    done += static_cast<size_t>(n);
  }
  return absl::OkStatus();
}

}  // namespace vmm
