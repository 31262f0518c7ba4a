#include "devices/disk/file_io.h"

#include <fcntl.h>
#include <linux/falloc.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

// Calls `transfer(buffers, count, offset)` until all bytes are done.
template <typename Transfer>
absl::Status All(const char* what, uint64_t offset, std::vector<iovec> buffers, Transfer transfer) {
  size_t at = 0;
  while (true) {
    while (at < buffers.size() && buffers[at].iov_len == 0) ++at;
    if (at == buffers.size()) return absl::OkStatus();
    const int count = static_cast<int>(std::min<size_t>(buffers.size() - at, IOV_MAX));
    const ssize_t n = transfer(buffers.data() + at, count, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, absl::StrFormat("%s at offset %d", what, offset));
    if (n == 0) return absl::DataLossError(absl::StrFormat("%s at offset %d: the file ends there", what, offset));
    offset += static_cast<uint64_t>(n);
    for (size_t left = static_cast<size_t>(n); left > 0;) {
      iovec& buffer = buffers[at];
      const size_t part = std::min(left, buffer.iov_len);
      buffer.iov_base = static_cast<uint8_t*>(buffer.iov_base) + part;
      buffer.iov_len -= part;
      left -= part;
      if (buffer.iov_len == 0) ++at;
    }
  }
}

int Fallocate(int fd, int mode, uint64_t offset, uint64_t bytes) {
  int result;
  do {
    result = fallocate(fd, mode, static_cast<off_t>(offset), static_cast<off_t>(bytes));
  } while (result != 0 && errno == EINTR);
  return result;
}

}  // namespace

absl::Status ReadAllAt(int fd, uint64_t offset, std::vector<iovec> buffers) {
  return All("read", offset, std::move(buffers),
             [fd](const iovec* parts, int count, off_t at) { return preadv(fd, parts, count, at); });
}

absl::Status WriteAllAt(int fd, uint64_t offset, std::vector<iovec> buffers) {
  return All("write", offset, std::move(buffers),
             [fd](const iovec* parts, int count, off_t at) { return pwritev(fd, parts, count, at); });
}

absl::Status PunchHole(int fd, uint64_t offset, uint64_t bytes) {
  if (Fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, bytes) == 0) return absl::OkStatus();
  if (errno == EOPNOTSUPP || errno == ENOSYS || errno == ENODEV) {
    return absl::UnimplementedError("the file system cannot punch holes");
  }
  return ErrnoStatus(errno, absl::StrFormat("punch a hole at offset %d", offset));
}

absl::Status WriteZeros(int fd, uint64_t offset, uint64_t bytes) {
  if (Fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset, bytes) == 0) return absl::OkStatus();
  if (errno != EOPNOTSUPP && errno != ENOSYS && errno != ENODEV) {
    return ErrnoStatus(errno, absl::StrFormat("write zeros at offset %d", offset));
  }
  static std::array<uint8_t, 65536> zeros;  // never written
  while (bytes > 0) {
    std::vector<iovec> parts;
    uint64_t sum = 0;
    while (sum < bytes && parts.size() < 64) {
      const uint64_t part = std::min<uint64_t>(bytes - sum, zeros.size());
      parts.push_back({zeros.data(), part});
      sum += part;
    }
    RETURN_IF_ERROR(WriteAllAt(fd, offset, std::move(parts)));
    offset += sum;
    bytes -= sum;
  }
  return absl::OkStatus();
}

std::vector<iovec> TakeFront(std::vector<iovec>& buffers, uint64_t bytes) {
  std::vector<iovec> taken;
  size_t at = 0;
  while (bytes > 0 && at < buffers.size()) {
    iovec& buffer = buffers[at];
    const size_t part = static_cast<size_t>(std::min<uint64_t>(bytes, buffer.iov_len));
    if (part != 0) taken.push_back({buffer.iov_base, part});
    buffer.iov_base = static_cast<uint8_t*>(buffer.iov_base) + part;
    buffer.iov_len -= part;
    bytes -= part;
    if (buffer.iov_len == 0) ++at;
  }
  buffers.erase(buffers.begin(), buffers.begin() + static_cast<std::ptrdiff_t>(at));
  return taken;
}

}  // namespace vmm
