#include "devices/disk/overlay_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <type_traits>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "devices/disk/file_io.h"
#include "devices/disk/raw_disk.h"

namespace vmm {
namespace {

constexpr char kMagic[16] = "vmm overlay 1\n";

struct Header {
  char magic[16];
  uint64_t size;          // of the disk, in bytes
  uint64_t block;         // kOverlayBlock
  int64_t below_seconds;  // when the disk below was last written
  int64_t below_nanoseconds;
};
static_assert(sizeof(Header) == 48 && std::is_trivially_copyable_v<Header>);

constexpr uint64_t kHeaderRoom = 4096;

Header HeaderFor(uint64_t size, const struct stat& below) {
  Header header = {.size = size,
                   .block = kOverlayBlock,
                   .below_seconds = below.st_mtim.tv_sec,
                   .below_nanoseconds = below.st_mtim.tv_nsec};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  return header;
}

absl::Status Check(const Header& found, const Header& wanted) {
  if (std::memcmp(found.magic, kMagic, sizeof kMagic) != 0) {
    return absl::InvalidArgumentError(
        "it is not an overlay of a disk of this size: name a new file, or one that vmm made for this disk");
  }
  if (found.size != wanted.size || found.block != wanted.block) {
    return absl::FailedPreconditionError(
        absl::StrFormat("it is an overlay of a disk of %d bytes, and this one has %d", found.size, wanted.size));
  }
  if (found.below_seconds != wanted.below_seconds || found.below_nanoseconds != wanted.below_nanoseconds) {
    return absl::FailedPreconditionError(
        "the disk below was written since this overlay was made, so they no longer fit together: name a new file");
  }
  return absl::OkStatus();
}

absl::Status ReadMap(int fd, uint64_t offset, uint64_t parts, BlockSet& held) {
  for (uint64_t n = 0; n < parts; ++n) {
    BlockSet::Part part;
    RETURN_IF_ERROR(Annotate(ReadAllAt(fd, offset + n * sizeof part, {{part.data(), sizeof part}}), "its map"));
    if (part != BlockSet::Part{}) held.SetPart(n, part);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<OverlayFile> OverlayFile::Open(const std::string& path, uint64_t size, const struct stat& below,
                                              BlockSet& held) {
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600));
  if (!fd.valid()) return ErrnoStatus(errno, "open");
  struct stat st = {};
  if (fstat(fd.get(), &st) != 0) return ErrnoStatus(errno, "stat");
  if (!S_ISREG(st.st_mode)) return absl::InvalidArgumentError("it is not a regular file");
  if (st.st_dev == below.st_dev && st.st_ino == below.st_ino) {
    return absl::InvalidArgumentError("it is the disk itself: name another file for the changes");
  }
  RETURN_IF_ERROR(LockDisk(fd.get(), true));

  const uint64_t map_offset = (size + kOverlayBlock - 1) / kOverlayBlock * kOverlayBlock;
  const uint64_t blocks = map_offset / kOverlayBlock;
  const uint64_t parts = (blocks + BlockSet::kPartBlocks - 1) / BlockSet::kPartBlocks;
  const uint64_t whole = map_offset + kHeaderRoom + parts * sizeof(BlockSet::Part);
  Header header = HeaderFor(size, below);
  OverlayFile file(std::move(fd), map_offset);
  if (st.st_size == 0) {
    if (ftruncate(file.fd(), static_cast<off_t>(whole)) != 0) {
      return ErrnoStatus(errno, absl::StrFormat("extend to %d bytes", whole));
    }
    RETURN_IF_ERROR(WriteAllAt(file.fd(), map_offset, {{&header, sizeof header}}));
    if (fsync(file.fd()) != 0) return ErrnoStatus(errno, "fsync");
    return file;
  }
  Header found = {};
  if (static_cast<uint64_t>(st.st_size) == whole) {
    RETURN_IF_ERROR(ReadAllAt(file.fd(), map_offset, {{&found, sizeof found}}));
  }
  RETURN_IF_ERROR(Check(found, header));
  RETURN_IF_ERROR(ReadMap(file.fd(), map_offset + kHeaderRoom, parts, held));
  return file;
}

absl::Status OverlayFile::Save(const BlockSet& held) {
  if (fdatasync(fd_.get()) != 0) return ErrnoStatus(errno, "fdatasync");
  if (unsaved_.empty()) return absl::OkStatus();
  for (const uint64_t n : unsaved_) {
    BlockSet::Part part = held.parts().at(n);
    RETURN_IF_ERROR(Annotate(
        WriteAllAt(fd_.get(), map_offset_ + kHeaderRoom + n * sizeof part, {{part.data(), sizeof part}}), "its map"));
  }
  if (fdatasync(fd_.get()) != 0) return ErrnoStatus(errno, "fdatasync");
  unsaved_.clear();
  return absl::OkStatus();
}

}  // namespace vmm
