#include "base/input_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string_view>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

std::string_view KindOf(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR: return "a directory";
    case S_IFIFO: return "a FIFO";
    case S_IFCHR: return "a character device";
    case S_IFBLK: return "a block device";
    case S_IFSOCK: return "a socket";
    default: return "a special file";
  }
}

absl::StatusOr<UniqueFd> OpenInput(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (fd.valid()) return fd;
  const int error = errno;
  struct stat st = {};  // never a socket: opening one fails with ENXIO
  if (error == ENXIO && stat(path.c_str(), &st) == 0 && !S_ISREG(st.st_mode)) {
    return absl::InvalidArgumentError(absl::StrFormat("it is %s, not a regular file", KindOf(st.st_mode)));
  }
  return ErrnoStatus(error, "open");
}

absl::Status TooLong(std::string_view has, uint64_t most) {
  return absl::InvalidArgumentError(absl::StrFormat("it has %s, more than the %d bytes allowed here", has, most));
}

bool IsAnonymousPipe(int fd) {
  struct statfs fs = {};
  return fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC;
}

absl::StatusOr<std::string> ReadPipe(int fd, uint64_t most, int milliseconds) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + std::chrono::milliseconds(milliseconds);
  std::string bytes;
  std::array<char, 4096> part;
  while (bytes.size() <= most) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd readable = {fd, POLLIN, 0};
    const int ready = left > 0 ? poll(&readable, 1, static_cast<int>(left)) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return ErrnoStatus(errno, "poll");
    if (ready == 0) {
      return absl::DeadlineExceededError(
          absl::StrFormat("it is a pipe, and its writer did not close it within %d ms", milliseconds));
    }
    const ssize_t got = read(fd, part.data(), std::min<uint64_t>(part.size(), most + 1 - bytes.size()));
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return ErrnoStatus(errno, "read");
    if (got == 0) return bytes;
    bytes.append(part.data(), static_cast<size_t>(got));
  }
  return TooLong("more to come through a pipe", most);
}

}  // namespace

absl::StatusOr<InputFile> InputFile::Open(const std::string& path, InputSize allowed) {
  ASSIGN_OR_RETURN(UniqueFd fd, OpenInput(path));
  return Take(std::move(fd), allowed);
}

absl::StatusOr<InputFile> InputFile::Take(UniqueFd fd, InputSize allowed) {
  struct stat st = {};
  if (fstat(fd.get(), &st) != 0) return ErrnoStatus(errno, "stat");
  if (S_ISBLK(st.st_mode)) {
    return absl::InvalidArgumentError("it is a block device, not a regular file: copy what is on it to a file first");
  }
  if (!S_ISREG(st.st_mode)) {
    return absl::InvalidArgumentError(absl::StrFormat("it is %s, not a regular file", KindOf(st.st_mode)));
  }
  const uint64_t size = static_cast<uint64_t>(st.st_size);
  if (size == 0 && !allowed.may_be_empty) return absl::InvalidArgumentError("the file is empty");
  if (size > allowed.most) return TooLong(absl::StrFormat("%d bytes", size), allowed.most);
  return InputFile(std::move(fd), size, static_cast<uint64_t>(st.st_blocks) * 512);
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

absl::StatusOr<std::string> InputFile::ReadAll() const {
  std::string bytes(size_, '\0');
  RETURN_IF_ERROR(Read(0, {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()}));
  return bytes;
}

absl::StatusOr<std::string> ReadSmallInput(const std::string& path, uint64_t most, int pipe_milliseconds) {
  ASSIGN_OR_RETURN(UniqueFd fd, OpenInput(path));
  if (IsAnonymousPipe(fd.get())) return ReadPipe(fd.get(), most, pipe_milliseconds);
  ASSIGN_OR_RETURN(const InputFile file, InputFile::Take(std::move(fd), {.most = most, .may_be_empty = true}));
  return file.ReadAll();
}

}  // namespace vmm
