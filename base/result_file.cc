#include "base/result_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <system_error>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/output_dir.h"
#include "base/replaced_file.h"
#include "base/shared_output.h"
#include "base/status.h"
#include "base/unique_fd.h"

namespace vmm {
namespace {

bool IsSameFile(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

absl::Status PutAll(SharedOutput& output, std::string_view text, int stop_fd, absl::Duration patience) {
  RETURN_IF_ERROR(output.WriteAll({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, stop_fd, patience));
  return output.Drain(stop_fd, patience);
}

// An output that is already open and is written in place.
class OpenStream final : public ResultFile {
 public:
  OpenStream(UniqueFd fd, std::unique_ptr<SharedOutput> output) : fd_(std::move(fd)), output_(std::move(output)) {}

  // Duplicates `fd`, which the caller keeps.
  static absl::StatusOr<std::unique_ptr<ResultFile>> Create(int fd) {
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return ErrnoStatus(errno, absl::StrFormat("file descriptor %d", fd));
    if ((flags & O_ACCMODE) == O_RDONLY || (flags & O_PATH) != 0) {
      return absl::InvalidArgumentError(absl::StrFormat("file descriptor %d is not open for writing", fd));
    }
    UniqueFd same(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!same.valid()) return ErrnoStatus(errno, absl::StrFormat("duplicate file descriptor %d", fd));
    ASSIGN_OR_RETURN(std::unique_ptr<SharedOutput> output, SharedOutput::Open(fd));
    return std::make_unique<OpenStream>(std::move(same), std::move(output));
  }

  absl::Status Write(std::string_view text, int stop_fd, absl::Duration patience) override {
    RETURN_IF_ERROR(PutAll(*output_, text, stop_fd, patience));
    struct stat st = {};
    const bool is_file = fstat(fd_.get(), &st) == 0 && S_ISREG(st.st_mode);
    return is_file && fsync(fd_.get()) != 0 ? ErrnoStatus(errno, "fsync") : absl::OkStatus();
  }

 private:
  const UniqueFd fd_;
  const std::unique_ptr<SharedOutput> output_;
};

// A FIFO that nobody has open for reading yet. Opening it for writing would wait for a reader; a non-blocking open
// fails with ENXIO.
class UnreadFifo final : public ResultFile {
 public:
  explicit UnreadFifo(UniqueFd place) : place_(std::move(place)) {}

  absl::Status Write(std::string_view text, int stop_fd, absl::Duration patience) override {
    ASSIGN_OR_RETURN(const UniqueFd fd, WaitForReader(stop_fd, patience));
    ASSIGN_OR_RETURN(const std::unique_ptr<SharedOutput> output, SharedOutput::Open(fd.get()));
    return PutAll(*output, text, stop_fd, patience);
  }

 private:
  absl::StatusOr<UniqueFd> WaitForReader(int stop_fd, absl::Duration patience) const {
    constexpr int kRetryMs = 20;
    const std::string path = absl::StrFormat("/proc/self/fd/%d", place_.get());
    absl::Time end = absl::Now() + patience;
    bool stopped = false;
    while (true) {
      UniqueFd fd(open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
      if (fd.valid()) return fd;
      if (errno != ENXIO && errno != EINTR) return ErrnoStatus(errno, "open the FIFO");
      if (absl::Now() >= end) return absl::DeadlineExceededError("nobody reads this FIFO");
      pollfd stop{stopped ? -1 : stop_fd, POLLIN, 0};
      if (poll(&stop, 1, kRetryMs) == 1) {
        stopped = true;
        end = std::min(end, absl::Now() + absl::Seconds(1));
      }
    }
  }

  const UniqueFd place_;  // O_PATH: this FIFO, even if its name changes
};

class RegularFile final : public ResultFile {
 public:
  explicit RegularFile(std::unique_ptr<ReplacedFile> file) : file_(std::move(file)) {}

  static absl::StatusOr<std::unique_ptr<ResultFile>> Create(const std::filesystem::path& path) {
    if (!path.has_filename()) return absl::InvalidArgumentError("this is a directory's name, not a file's");
    const std::string parent = path.has_parent_path() ? path.parent_path().string() : ".";
    ASSIGN_OR_RETURN(OutputDir dir, OutputDir::Open(parent));
    ASSIGN_OR_RETURN(std::unique_ptr<ReplacedFile> file, ReplacedFile::Create(std::move(dir), path.filename()));
    return std::make_unique<RegularFile>(std::move(file));
  }

  absl::Status Write(std::string_view text, int, absl::Duration) override { return file_->Commit(text); }

 private:
  const std::unique_ptr<ReplacedFile> file_;
};

absl::StatusOr<std::unique_ptr<ResultFile>> OpenDevice(const std::string& path, const struct stat& seen,
                                                       UniqueFd place) {
  // Opens the name a second time, because the O_PATH descriptor did not open the device. The flags apply only to this
  // opening.
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd.valid() && errno == ENXIO && S_ISFIFO(seen.st_mode)) return std::make_unique<UnreadFifo>(std::move(place));
  if (!fd.valid()) return ErrnoStatus(errno, "open for writing");
  struct stat opened = {};
  if (fstat(fd.get(), &opened) != 0 || !IsSameFile(opened, seen)) {
    return absl::AbortedError("somebody replaced it while it was opened");
  }
  return OpenStream::Create(fd.get());
}

absl::StatusOr<std::unique_ptr<ResultFile>> OpenRegular(const std::string& path, const struct stat& seen) {
  // "out.txt" of `> out.txt`, or a symlink to /dev/stdout. Replacing that file would lose what is printed.
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat ours = {};
    if (fstat(fd, &ours) == 0 && IsSameFile(ours, seen)) return OpenStream::Create(fd);
  }
  struct stat named = {};
  if (lstat(path.c_str(), &named) == 0 && S_ISREG(named.st_mode)) return RegularFile::Create(path);
  // The symlink stays; the file at its end is replaced.
  std::error_code error;
  const std::filesystem::path target = std::filesystem::canonical(path, error);
  if (error) return ErrnoStatus(error.value(), "follow the symlink");
  if (lstat(target.c_str(), &named) != 0 || !IsSameFile(named, seen)) {
    return absl::FailedPreconditionError("this leads to a file without a name of its own, which cannot be replaced");
  }
  return RegularFile::Create(target);
}

absl::StatusOr<std::unique_ptr<ResultFile>> OpenPlace(const std::string& path) {
  if (const std::optional<int> fd = OwnDescriptor(path); fd.has_value()) {
    // A descriptor that we opened ourselves has its number by chance.
    const bool is_ours = (fcntl(*fd, F_GETFD) & FD_CLOEXEC) != 0;
    if (is_ours) return ErrnoStatus(EBADF, absl::StrFormat("file descriptor %d", *fd));
    return OpenStream::Create(*fd);
  }
  struct stat seen = {};
  // The kernel resolves the path, because it refuses symlinks planted by others (fs.protected_symlinks).
  UniqueFd place(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!place.valid()) {
    if (errno != ENOENT) return ErrnoStatus(errno, "open");
    if (lstat(path.c_str(), &seen) == 0) return absl::FailedPreconditionError("this is a symlink to nothing");
    return RegularFile::Create(path);
  }
  if (fstat(place.get(), &seen) != 0) return ErrnoStatus(errno, "stat");
  switch (seen.st_mode & S_IFMT) {
    case S_IFREG: return OpenRegular(path, seen);
    case S_IFIFO:
    case S_IFCHR: return OpenDevice(path, seen, std::move(place));
    case S_IFDIR: return absl::FailedPreconditionError("this is a directory, and a record is a file");
    case S_IFSOCK: return absl::FailedPreconditionError("this is a socket, which has no place for a record");
    case S_IFBLK: return absl::FailedPreconditionError("this is a disk, which a record would damage");
    default: return absl::FailedPreconditionError("this is no kind of file that takes a record");
  }
}

}  // namespace

std::optional<int> OwnDescriptor(std::string_view path) {
  if (path == "-" || path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  const std::string own = absl::StrFormat("/proc/%d/fd/", getpid());
  for (const std::string_view prefix : {"/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/", own.c_str()}) {
    if (!path.starts_with(prefix)) continue;
    int fd = -1;
    const char* const end = path.data() + path.size();
    const auto [at, error] = std::from_chars(path.data() + prefix.size(), end, fd);
    if (error == std::errc() && at == end && fd >= 0) return fd;
  }
  return std::nullopt;
}

absl::StatusOr<std::unique_ptr<ResultFile>> ResultFile::Open(const std::string& path) { return OpenPlace(path); }

}  // namespace vmm
