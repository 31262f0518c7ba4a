#include "base/replaced_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

constexpr mode_t kPermissions = 0777;
constexpr size_t kMaxPrefix = 200;  // bytes, so that the partial file's name stays within the limit for names

mode_t Umask() {
  const mode_t mask = umask(0);
  umask(mask);
  return mask;
}

// The permission bits of the regular file `name`. -1: no such file.
absl::StatusOr<int> ModeOf(const OutputDir& dir, const std::string& name) {
  struct stat st = {};
  if (fstatat(dir.fd(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return -1;
    return ErrnoStatus(errno, "stat " + dir.PathOf(name));
  }
  if (S_ISREG(st.st_mode)) return static_cast<int>(st.st_mode & kPermissions);
  return absl::FailedPreconditionError(dir.PathOf(name) + " is not a regular file, and only those are replaced");
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReplacedFile>> ReplacedFile::Create(OutputDir dir, std::string name) {
  ASSIGN_OR_RETURN(const int old_mode, ModeOf(dir, name));
  RemoveAbandonedFiles(dir);
  ASSIGN_OR_RETURN(PartialFile file, CreatePartialFile(dir, std::string_view(name).substr(0, kMaxPrefix)));
  const mode_t mode = old_mode >= 0 ? static_cast<mode_t>(old_mode) : 0666 & ~Umask();
  return std::unique_ptr<ReplacedFile>(new ReplacedFile(std::move(dir), std::move(name), mode, std::move(file)));
}

ReplacedFile::~ReplacedFile() {
  if (!committed_) unlinkat(dir_.fd(), file_.name.c_str(), 0);
}

absl::Status ReplacedFile::WriteAndSync(std::string_view text) {
  const size_t size = text.size();
  while (!text.empty()) {
    const ssize_t put = write(file_.fd.get(), text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      const std::string what = absl::StrFormat("write %d bytes to %s", size, dir_.PathOf(file_.name));
      return ErrnoStatus(put < 0 ? errno : EIO, what);
    }
    text.remove_prefix(static_cast<size_t>(put));
  }
  if (fchmod(file_.fd.get(), mode_) != 0) return ErrnoStatus(errno, "chmod " + dir_.PathOf(file_.name));
  if (fsync(file_.fd.get()) != 0) return ErrnoStatus(errno, "fsync " + dir_.PathOf(file_.name));
  return absl::OkStatus();
}

absl::Status ReplacedFile::Commit(std::string_view text) {
  RETURN_IF_ERROR(WriteAndSync(text));
  RETURN_IF_ERROR(ModeOf(dir_, name_).status());
  const std::string path = dir_.PathOf(name_);
  struct stat ours = {}, found = {};
  if (fstat(file_.fd.get(), &ours) != 0) return ErrnoStatus(errno, "stat " + dir_.PathOf(file_.name));
  if (renameat(dir_.fd(), file_.name.c_str(), dir_.fd(), name_.c_str()) != 0) {
    return ErrnoStatus(errno, absl::StrFormat("rename %s to %s", dir_.PathOf(file_.name), path));
  }
  committed_ = true;
  // Anyone who may write to the directory could have put another file in place of the partial one.
  if (fstatat(dir_.fd(), name_.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) return ErrnoStatus(errno, "stat " + path);
  if (found.st_dev != ours.st_dev || found.st_ino != ours.st_ino) {
    return absl::AbortedError(path + " is not the file that was written: somebody replaced it");
  }
  // EINVAL: the file system cannot sync a directory, so there is nothing to sync.
  if (fsync(dir_.fd()) != 0 && errno != EINVAL) {
    return ErrnoStatus(errno, path + " is whole and in place, but fsync of its directory");
  }
  return absl::OkStatus();
}

}  // namespace vmm
