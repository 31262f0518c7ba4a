#include "base/core_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {

absl::StatusOr<CoreFile> CoreFile::Open(const std::string& path) {
  ASSIGN_OR_RETURN(InputFile file, Annotate(InputFile::Open(path), path));
  return CoreFile(std::move(file), path);
}

absl::StatusOr<CoreFile> CoreFile::Take(UniqueFd fd, std::string path) {
  ASSIGN_OR_RETURN(InputFile file, Annotate(InputFile::Take(std::move(fd)), path));
  return CoreFile(std::move(file), std::move(path));
}

absl::Status CoreFile::ReadAt(uint64_t offset, std::span<uint8_t> out) const {
  if (offset > size() || out.size() > size() - offset) {
    return absl::DataLossError(
        absl::StrFormat("%s: %d bytes at %#x are past the file's end at %#x", path_, out.size(), offset, size()));
  }
  return Annotate(file_.Read(offset, out), path_);
}

absl::StatusOr<std::vector<CoreFile::Extent>> CoreFile::DataExtents(Extent within, size_t max) const {
  std::vector<Extent> extents;
  const off_t end = static_cast<off_t>(within.offset + within.size);
  for (off_t at = static_cast<off_t>(within.offset); at < end;) {
    const off_t data = lseek(file_.fd(), at, SEEK_DATA);
    if (data < 0 && errno != ENXIO) return ErrnoStatus(errno, absl::StrFormat("%s: SEEK_DATA", path_));
    if (data < 0 || data >= end) break;
    const off_t hole = lseek(file_.fd(), data, SEEK_HOLE);
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
