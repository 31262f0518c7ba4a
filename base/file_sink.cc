#include "base/file_sink.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "absl/strings/str_format.h"
#include "base/partial_file.h"
#include "base/status.h"

namespace vmm {
namespace {

absl::Status CheckName(std::string_view name) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != name.npos || name.find('\0') != name.npos) {
    return absl::InvalidArgumentError(absl::StrFormat("\"%s\" is not a file name: one path component is needed", name));
  }
  return absl::OkStatus();
}

// Bytes. From this size on, the disk is faster if the page cache is bypassed. Smaller writes would each wait for the
// disk.
constexpr size_t kMinDirect = 1 << 20;
constexpr uint64_t kDirectAlignment = 4096;

bool IsAligned(uint64_t offset, std::span<const uint8_t> data) {
  return (offset | data.size() | reinterpret_cast<uintptr_t>(data.data())) % kDirectAlignment == 0;
}

// Calls renameat2(RENAME_NOREPLACE). If the file system lacks it, uses link and unlink, which do not replace either.
// Returns 0 or errno.
int RenameNoReplace(int dir, const std::string& from, const std::string& to) {
  if (renameat2(dir, from.c_str(), dir, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  if (linkat(dir, from.c_str(), dir, to.c_str(), 0) != 0) return errno;
  unlinkat(dir, from.c_str(), 0);
  return 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileSink>> FileSink::Create(const OutputDir& dir, std::string name) {
  RETURN_IF_ERROR(CheckName(name));
  struct stat existing = {};
  if (fstatat(dir.fd(), name.c_str(), &existing, AT_SYMLINK_NOFOLLOW) == 0) {
    return absl::AlreadyExistsError(absl::StrFormat("%s exists already", dir.PathOf(name)));
  }
  ASSIGN_OR_RETURN(PartialFile file, CreatePartialFile(dir, name));
  return std::unique_ptr<FileSink>(new FileSink(dir, std::move(name), std::move(file.name), std::move(file.fd)));
}

FileSink::~FileSink() {
  if (!committed_) unlinkat(dir_.fd(), partial_name_.c_str(), 0);
}

absl::Status FileSink::Usable() const {
  if (!failed_ && !committed_) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrFormat("%s %s", dir_.PathOf(partial_name_), failed_ ? "failed before" : "is committed"));
}

absl::Status FileSink::Fail(int error, const std::string& what) {
  failed_ = true;
  return ErrnoStatus(error, absl::StrFormat("%s %s", what, dir_.PathOf(partial_name_)));
}

// Sets or clears O_DIRECT before each write, so that one descriptor serves both kinds. Returns false if O_DIRECT is not
// available.
bool FileSink::SetDirect(bool direct) {
  if (direct == is_direct_) return true;
  const int flags = fcntl(fd_.get(), F_GETFL);
  if (flags < 0 || fcntl(fd_.get(), F_SETFL, direct ? flags | O_DIRECT : flags & ~O_DIRECT) != 0) return false;
  is_direct_ = direct;
  return true;
}

absl::Status FileSink::WriteAt(uint64_t offset, std::span<const uint8_t> data) {
  RETURN_IF_ERROR(Usable());
  synced_ = false;
  while (!data.empty()) {
    const bool direct = may_be_direct_ && data.size() >= kMinDirect && IsAligned(offset, data);
    if (!SetDirect(direct)) {
      if (!direct) return Fail(errno, "leave direct I/O for");
      may_be_direct_ = false;
      continue;
    }
    const ssize_t put = pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EINVAL && direct) {  // the file system accepted the flag, but needs a different alignment
      may_be_direct_ = false;
      continue;
    }
    if (put <= 0) {
      return Fail(put < 0 ? errno : EIO, absl::StrFormat("write %d bytes at offset %d of", data.size(), offset));
    }
    data = data.subspan(static_cast<size_t>(put));
    offset += static_cast<uint64_t>(put);
  }
  return absl::OkStatus();
}

absl::Status FileSink::SetSize(uint64_t size) {
  RETURN_IF_ERROR(Usable());
  synced_ = false;
  while (ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
    if (errno != EINTR) return Fail(errno, absl::StrFormat("set the size to %d bytes of", size));
  }
  return absl::OkStatus();
}

absl::Status FileSink::Sync() {
  RETURN_IF_ERROR(Usable());
  if (fsync(fd_.get()) != 0) return Fail(errno, "fsync");
  synced_ = true;
  return absl::OkStatus();
}

absl::Status FileSink::CheckIsOurs(int found_result, const struct stat& found, const std::string& path) const {
  struct stat ours = {};
  if (found_result != 0 || fstat(fd_.get(), &ours) != 0) return ErrnoStatus(errno, absl::StrFormat("stat %s", path));
  if (ours.st_dev == found.st_dev && ours.st_ino == found.st_ino) return absl::OkStatus();
  return absl::AbortedError(absl::StrFormat("%s is not the file that was written: somebody replaced it", path));
}

absl::StatusOr<UniqueFd> FileSink::Reopen() const {
  RETURN_IF_ERROR(Usable());
  const std::string path = dir_.PathOf(partial_name_);
  UniqueFd fd(openat(dir_.fd(), partial_name_.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return ErrnoStatus(errno, absl::StrFormat("re-open %s", path));
  struct stat found = {};
  RETURN_IF_ERROR(CheckIsOurs(fstat(fd.get(), &found), found, path));
  return fd;
}

absl::Status FileSink::CommitAs(std::string_view name) {
  RETURN_IF_ERROR(Usable());
  RETURN_IF_ERROR(CheckName(name));
  if (!synced_) return absl::FailedPreconditionError("FileSink: Commit() without a Sync() before it");
  const std::string path = dir_.PathOf(name);
  const int error = RenameNoReplace(dir_.fd(), partial_name_, std::string(name));
  if (error == EEXIST) return absl::AlreadyExistsError(absl::StrFormat("%s exists already", path));
  if (error != 0) return Fail(error, absl::StrFormat("rename to %s of", path));
  committed_ = true;
  // Anyone who may write to the directory could have put another file in place of the partial one.
  struct stat found = {};
  RETURN_IF_ERROR(CheckIsOurs(fstatat(dir_.fd(), std::string(name).c_str(), &found, AT_SYMLINK_NOFOLLOW), found, path));
  // EINVAL: the file system cannot sync a directory, so there is nothing to sync.
  if (fsync(dir_.fd()) != 0 && errno != EINVAL) {
    return ErrnoStatus(errno, absl::StrFormat("%s is whole and in place, but fsync of its directory", path));
  }
  return absl::OkStatus();
}

}  // namespace vmm
