#include "base/core_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {

absl::StatusOr<CoreFile> CoreFile::Open(const std::string& path) {
  // O_NONBLOCK: opening a FIFO that nobody writes to must not wait.
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return ErrnoStatus(errno, "open " + path);
  return Take(std::move(fd), path);
}

absl::StatusOr<CoreFile> CoreFile::Take(UniqueFd fd, std::string path) {
  struct stat file = {};
  if (fstat(fd.get(), &file) != 0) return ErrnoStatus(errno, "stat " + path);
  if (!S_ISREG(file.st_mode)) return absl::InvalidArgumentError(absl::StrFormat("%s is no regular file", path));
  return CoreFile(std::move(fd), std::move(path), static_cast<uint64_t>(file.st_size),
                  static_cast<uint64_t>(file.st_blocks) * 512);
}

absl::Status CoreFile::ReadAt(uint64_t offset, std::span<uint8_t> out) const {
  if (offset > size_ || out.size() > size_ - offset) {
    return absl::DataLossError(
        absl::StrFormat("%s: %d bytes at %#x are past the file's end at %#x", path_, out.size(), offset, size_));
  }
  while (!out.empty()) {
    const ssize_t got = pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, "read " + path_);
    if (got == 0) return absl::DataLossError(absl::StrFormat("%s: the file became shorter than it was", path_));
    out = out.subspan(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<CoreFile::Extent>> CoreFile::DataExtents(Extent within, size_t max) const {
  std::vector<Extent> extents;
  const off_t end = static_cast<off_t>(within.offset + within.size);
  for (off_t at = static_cast<off_t>(within.offset); at < end;) {
    const off_t data = lseek(fd_.get(), at, SEEK_DATA);
    if (data < 0 && errno != ENXIO) return ErrnoStatus(errno, absl::StrFormat("%s: SEEK_DATA", path_));
    if (data < 0 || data >= end) break;
    const off_t hole = lseek(fd_.get(), data, SEEK_HOLE);
    if (hole <= data) return ErrnoStatus(hole < 0 ? errno : EIO, absl::StrFormat("%s: SEEK_HOLE", path_));
    at = std::min(hole, end);
    if (extents.size() >= max) {
      return absl::ResourceExhaustedError(absl::StrFormat("%s: more than %d extents", path_, max));
    }
    extents.push_back({static_cast<uint64_t>(data), static_cast<uint64_t>(at - data)});
  }
  return extents;
}

}  // namespace vmm
