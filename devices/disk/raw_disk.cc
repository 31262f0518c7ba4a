#include "devices/disk/raw_disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "devices/disk/file_io.h"

namespace vmm {

absl::Status LockDisk(int fd, bool exclusive) {
  struct flock lock = {};
  lock.l_type = exclusive ? F_WRLCK : F_RDLCK;
  lock.l_whence = SEEK_SET;
  if (fcntl(fd, F_OFD_SETLK, &lock) == 0) return absl::OkStatus();
  if (errno == EACCES || errno == EAGAIN) {
    return absl::FailedPreconditionError(
        exclusive
            ? "another process uses it, so it cannot be written: end that one, or add ,ro or ,overlay here and there"
            : "another process writes it: end that one, or open it with ,ro or ,overlay there");
  }
  if (errno == ENOLCK || errno == EOPNOTSUPP || errno == EINVAL) return absl::OkStatus();
  return ErrnoStatus(errno, "lock");
}

absl::StatusOr<std::unique_ptr<RawDisk>> RawDisk::Open(const std::string& path, Access access) {
  const bool writes = access == Access::kReadWrite;
  // O_NONBLOCK: a FIFO would otherwise wait for its other end.
  UniqueFd fd(open(path.c_str(), (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid() && writes && (errno == EACCES || errno == EROFS || errno == EPERM)) {
    return ErrnoStatus(errno, "open for writing (,ro and ,overlay need only to read it)");
  }
  if (!fd.valid()) return ErrnoStatus(errno, "open");
  struct stat st = {};
  if (fstat(fd.get(), &st) != 0) return ErrnoStatus(errno, "stat");
  if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
    return absl::InvalidArgumentError("it is neither a regular file nor a block device");
  }
  const off_t size = lseek(fd.get(), 0, SEEK_END);  // of a block device too, which has no st_size
  if (size < 0) return ErrnoStatus(errno, "seek to its end");
  if (size == 0 || size % static_cast<off_t>(kSectorSize) != 0) {
    return absl::InvalidArgumentError(
        absl::StrFormat("its size of %d bytes is not a multiple of %d above 0: extend it with truncate -s %%%d",
                        static_cast<int64_t>(size), kSectorSize, kSectorSize));
  }
  RETURN_IF_ERROR(LockDisk(fd.get(), writes));
  return std::unique_ptr<RawDisk>(new RawDisk(std::move(fd), static_cast<uint64_t>(size), access));
}

absl::Status RawDisk::Read(uint64_t offset, std::span<const iovec> buffers) {
  return ReadAllAt(fd_.get(), offset, {buffers.begin(), buffers.end()});
}

absl::Status RawDisk::Write(uint64_t offset, std::span<const iovec> buffers) {
  return WriteAllAt(fd_.get(), offset, {buffers.begin(), buffers.end()});
}

absl::Status RawDisk::Flush() { return fdatasync(fd_.get()) == 0 ? absl::OkStatus() : ErrnoStatus(errno, "fdatasync"); }

absl::Status RawDisk::Discard(uint64_t offset, uint64_t bytes) {
  const absl::Status punched = PunchHole(fd_.get(), offset, bytes);
  return absl::IsUnimplemented(punched) ? absl::OkStatus() : punched;  // it is only advice
}

absl::Status RawDisk::Zero(uint64_t offset, uint64_t bytes, bool may_unmap) {
  if (may_unmap) {
    const absl::Status punched = PunchHole(fd_.get(), offset, bytes);
    if (!absl::IsUnimplemented(punched)) return punched;
  }
  return WriteZeros(fd_.get(), offset, bytes);
}

}  // namespace vmm
