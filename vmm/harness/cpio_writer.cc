#include "vmm/harness/cpio_writer.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status.h"

namespace vmm {
namespace {

// PATH_MAX of Linux; its unpacker skips longer names without a word.
constexpr size_t kMaxPath = 4095;
constexpr size_t kMaxEntries = 200'000;
constexpr uint64_t kCopyAtOnce = 1 << 20;

absl::Status CheckPath(std::string_view path) {
  const bool whole = path.size() > 1 && path.starts_with('/') && !path.ends_with('/') &&
                     path.find("//") == std::string_view::npos && path.find('\0') == std::string_view::npos;
  if (!whole) return absl::InvalidArgumentError(absl::StrFormat("%s: not an absolute path in the guest", path));
  if (path.size() > kMaxPath) {
    return absl::InvalidArgumentError(absl::StrFormat("a path of %d bytes; the limit is %d", path.size(), kMaxPath));
  }
  const std::string slashed = std::string(path) + "/";
  if (slashed.find("/../") != std::string::npos || slashed.find("/./") != std::string::npos) {
    return absl::InvalidArgumentError(absl::StrFormat("%s: . and .. have no place in a path in the guest", path));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CpioWriter> CpioWriter::Create() {
  UniqueFd fd(memfd_create("vmm-initramfs", MFD_CLOEXEC));
  if (!fd.valid()) return ErrnoStatus(errno, "initramfs: memfd_create");
  return CpioWriter(std::move(fd));
}

absl::Status CpioWriter::AddFolder(std::string_view path, uint32_t mode) {
  if (path == "/" || folders_.contains(std::string(path))) return absl::OkStatus();
  RETURN_IF_ERROR(Begin(path, {.mode = S_IFDIR | mode}));
  folders_.emplace(path);
  return absl::OkStatus();
}

absl::Status CpioWriter::AddBytes(std::string_view path, std::span<const uint8_t> bytes, uint32_t mode) {
  RETURN_IF_ERROR(Begin(path, {.mode = S_IFREG | mode, .size = bytes.size()}));
  RETURN_IF_ERROR(Write(bytes));
  return Pad(4);
}

absl::Status CpioWriter::AddFile(std::string_view path, const InputFile& file, uint32_t mode) {
  RETURN_IF_ERROR(Begin(path, {.mode = S_IFREG | mode, .size = file.size()}));
  std::vector<uint8_t> bytes(std::min(file.size(), kCopyAtOnce));
  for (uint64_t done = 0; done < file.size();) {
    const auto part = std::span(bytes).first(std::min<uint64_t>(bytes.size(), file.size() - done));
    RETURN_IF_ERROR(file.Read(done, part));
    RETURN_IF_ERROR(Write(part));
    done += part.size();
  }
  return Pad(4);
}

absl::Status CpioWriter::AddLink(std::string_view path, std::string_view target) {
  RETURN_IF_ERROR(Begin(path, {.mode = S_IFLNK | 0777, .size = target.size()}));
  RETURN_IF_ERROR(Write(BytesOfText(target)));
  return Pad(4);
}

absl::Status CpioWriter::AddDevice(std::string_view path, uint32_t major, uint32_t minor, uint32_t mode) {
  return Begin(path, {.mode = S_IFCHR | mode, .major = major, .minor = minor});
}

absl::StatusOr<InputFile> CpioWriter::Finish() {
  RETURN_IF_ERROR(Header("TRAILER!!!", {}));
  RETURN_IF_ERROR(Pad(512));
  return InputFile::Take(std::move(fd_));
}

absl::Status CpioWriter::Begin(std::string_view path, const Entry& entry) {
  RETURN_IF_ERROR(CheckPath(path));
  if (const std::string_view above = path.substr(0, path.rfind('/')); !above.empty()) {
    RETURN_IF_ERROR(AddFolder(above));
  }
  if (!paths_.emplace(path).second) {
    return absl::AlreadyExistsError(absl::StrFormat("%s: two things would be there in the guest", path));
  }
  if (paths_.size() > kMaxEntries) {
    return absl::ResourceExhaustedError(absl::StrFormat("more than %d files for the guest", kMaxEntries));
  }
  if (entry.size > kMaxArchive - size_) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("%s: with its %d bytes the files for the guest exceed the limit of %d MiB", path, entry.size,
                        kMaxArchive >> 20));
  }
  return Header(path.substr(1), entry);
}

absl::Status CpioWriter::Header(std::string_view name, const Entry& entry) {
  const uint32_t links = (entry.mode & S_IFMT) == S_IFDIR ? 2 : 1;
  // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
  const std::string header =
      absl::StrFormat("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", next_inode_++, entry.mode, 0, 0,
                      links, 0, entry.size, 0, 0, entry.major, entry.minor, name.size() + 1, 0);
  RETURN_IF_ERROR(Write(BytesOfText(header)));
  RETURN_IF_ERROR(Write(BytesOfText(name)));
  RETURN_IF_ERROR(Write(BytesOfText(std::string_view("\0", 1))));
  return Pad(4);
}

absl::Status CpioWriter::Write(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = write(fd_.get(), bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return ErrnoStatus(errno, "initramfs: write");
    size_ += static_cast<uint64_t>(wrote);
    bytes = bytes.subspan(static_cast<size_t>(wrote));
  }
  return absl::OkStatus();
}

absl::Status CpioWriter::Pad(uint64_t alignment) {
  const std::vector<uint8_t> zeros((alignment - size_ % alignment) % alignment);
  return Write(zeros);
}

}  // namespace vmm
