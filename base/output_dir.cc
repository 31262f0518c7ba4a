#include "base/output_dir.h"

#include <fcntl.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {

absl::StatusOr<OutputDir> OutputDir::Open(std::string path) {
  if (path.empty()) return absl::InvalidArgumentError("output directory: the path is empty");
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return ErrnoStatus(errno, absl::StrFormat("open output directory %s", path));
  return OutputDir(std::move(path), std::move(fd));
}

std::string OutputDir::PathOf(std::string_view name) const {
  const char* separator = path_.back() == '/' ? "" : "/";
  return absl::StrFormat("%s%s%s", path_, separator, name);
}

absl::StatusOr<uint64_t> OutputDir::FreeBytes() const {
  struct statvfs fs = {};
  if (fstatvfs(fd_.get(), &fs) != 0) {
    return absl::UnavailableError(absl::StrFormat("free space of %s: %s", path_, strerror(errno)));
  }
  return static_cast<uint64_t>(fs.f_bavail) * fs.f_frsize;
}

}  // namespace vmm
