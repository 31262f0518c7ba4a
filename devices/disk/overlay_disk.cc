#include "devices/disk/overlay_disk.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/log.h"
#include "base/status.h"
#include "devices/disk/file_io.h"

namespace vmm {
namespace {

uint64_t Sum(std::span<const iovec> buffers) {
  uint64_t bytes = 0;
  for (const iovec& buffer : buffers) bytes += buffer.iov_len;
  return bytes;
}

uint64_t BlockOf(uint64_t offset) { return offset / kOverlayBlock; }
uint64_t EndBlock(uint64_t end) { return (end + kOverlayBlock - 1) / kOverlayBlock; }

}  // namespace

absl::StatusOr<std::unique_ptr<OverlayDisk>> OverlayDisk::InMemory(std::unique_ptr<RawDisk> below, uint64_t cap) {
  std::unique_ptr<OverlayDisk> disk(new OverlayDisk(std::move(below)));
  disk->memory_.reset(memfd_create("vmm-overlay", MFD_CLOEXEC));
  if (!disk->memory_.valid()) return ErrnoStatus(errno, "memfd_create for an overlay");
  if (ftruncate(disk->memory_.get(), static_cast<off_t>(disk->size())) != 0) {
    return ErrnoStatus(errno, absl::StrFormat("an overlay of %d bytes in memory", disk->size()));
  }
  disk->cap_ = cap;
  return disk;
}

absl::StatusOr<std::unique_ptr<OverlayDisk>> OverlayDisk::InFile(std::unique_ptr<RawDisk> below,
                                                                 const std::string& path) {
  struct stat st = {};
  if (fstat(below->fd(), &st) != 0) return ErrnoStatus(errno, "stat of the disk below");
  std::unique_ptr<OverlayDisk> disk(new OverlayDisk(std::move(below)));
  ASSIGN_OR_RETURN(OverlayFile file, OverlayFile::Open(path, disk->size(), st, disk->held_));
  disk->file_.emplace(std::move(file));
  return disk;
}

OverlayDisk::~OverlayDisk() {
  if (!file_.has_value()) return;
  const absl::Status saved = file_->Save(held_);
  if (!saved.ok()) LogWarning(absl::StrFormat("a disk's overlay could not be saved: %s", saved.ToString()));
}

uint64_t OverlayDisk::bytes_held() const {
  struct stat st = {};
  if (fstat(fd(), &st) != 0) return 0;
  return static_cast<uint64_t>(st.st_blocks) * 512;
}

void OverlayDisk::Hold(uint64_t block) {
  if (held_.Contains(block)) return;
  held_.Insert(block);
  if (file_.has_value()) file_->Note(block);
}

absl::Status OverlayDisk::CopyUp(uint64_t block) {
  if (held_.Contains(block)) return absl::OkStatus();
  std::array<uint8_t, kOverlayBlock> bytes;
  const uint64_t offset = block * kOverlayBlock;
  const iovec whole = {bytes.data(), static_cast<size_t>(std::min(kOverlayBlock, size() - offset))};
  RETURN_IF_ERROR(CheckRoom(offset, whole.iov_len));
  RETURN_IF_ERROR(below_->Read(offset, {&whole, 1}));
  RETURN_IF_ERROR(WriteAllAt(fd(), offset, {whole}));
  Hold(block);
  return absl::OkStatus();
}

absl::Status OverlayDisk::CopyUpEnds(uint64_t offset, uint64_t bytes) {
  const uint64_t end = offset + bytes;
  if (offset % kOverlayBlock != 0) RETURN_IF_ERROR(CopyUp(BlockOf(offset)));
  // The last block of a disk may be shorter than others, and is whole all the same.
  if (end % kOverlayBlock != 0 && end != size()) return CopyUp(BlockOf(end));
  return absl::OkStatus();
}

absl::Status OverlayDisk::CheckRoom(uint64_t offset, uint64_t bytes) const {
  const uint64_t first = BlockOf(offset), end = EndBlock(offset + bytes);
  const uint64_t held = bytes_held();
  if (cap_ == ~uint64_t{0} || held + (end - first) * kOverlayBlock <= cap_) return absl::OkStatus();
  // Near the cap it counts what the range has already.
  uint64_t needed = 0;
  for (off_t at = static_cast<off_t>(first * kOverlayBlock); at < static_cast<off_t>(offset + bytes);) {
    const off_t hole = lseek(fd(), at, SEEK_HOLE);
    if (hole < 0) break;
    const off_t data = lseek(fd(), hole, SEEK_DATA);  // -1: none up to the end
    const off_t range_end = static_cast<off_t>(end * kOverlayBlock);
    const off_t hole_end = data < 0 ? range_end : std::min(data, range_end);
    if (hole < hole_end) needed += static_cast<uint64_t>(hole_end - hole);
    at = std::max(hole_end, hole);
  }
  if (held + needed <= cap_) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrFormat("the overlay in memory holds %d bytes and may hold %d", held, cap_));
}

absl::Status OverlayDisk::Read(uint64_t offset, std::span<const iovec> buffers) {
  std::vector<iovec> left(buffers.begin(), buffers.end());
  const uint64_t end = offset + Sum(buffers);
  while (offset < end) {
    const bool here = held_.Contains(BlockOf(offset));
    uint64_t block = BlockOf(offset) + 1;
    while (block * kOverlayBlock < end && held_.Contains(block) == here) ++block;
    const uint64_t bytes = std::min(end, block * kOverlayBlock) - offset;
    const std::vector<iovec> part = TakeFront(left, bytes);
    RETURN_IF_ERROR(here ? ReadAllAt(fd(), offset, part) : below_->Read(offset, part));
    offset += bytes;
  }
  return absl::OkStatus();
}

absl::Status OverlayDisk::Write(uint64_t offset, std::span<const iovec> buffers) {
  const uint64_t bytes = Sum(buffers);
  if (bytes == 0) return absl::OkStatus();
  RETURN_IF_ERROR(CheckRoom(offset, bytes));
  RETURN_IF_ERROR(CopyUpEnds(offset, bytes));
  RETURN_IF_ERROR(WriteAllAt(fd(), offset, {buffers.begin(), buffers.end()}));
  for (uint64_t block = BlockOf(offset); block < EndBlock(offset + bytes); ++block) Hold(block);
  return absl::OkStatus();
}

absl::Status OverlayDisk::Flush() { return file_.has_value() ? file_->Save(held_) : absl::OkStatus(); }

absl::Status OverlayDisk::GiveBack(uint64_t first, uint64_t end) {
  return PunchHole(fd(), first * kOverlayBlock, (end - first) * kOverlayBlock);
}

absl::Status OverlayDisk::Discard(uint64_t offset, uint64_t bytes) {
  const uint64_t first = EndBlock(offset);
  const uint64_t end = offset + bytes == size() ? EndBlock(size()) : BlockOf(offset + bytes);
  if (first >= end) return absl::OkStatus();
  // Held blocks read as zeros afterwards. Others stay those of the disk below: they take no storage here.
  const absl::Status given = GiveBack(first, end);
  return absl::IsUnimplemented(given) ? absl::OkStatus() : given;
}

absl::Status OverlayDisk::Zero(uint64_t offset, uint64_t bytes, bool /*may_unmap*/) {
  if (bytes == 0) return absl::OkStatus();
  RETURN_IF_ERROR(CopyUpEnds(offset, bytes));
  // A hole reads as zeros. An overlay promises no storage in advance, so it may always make one.
  const absl::Status punched = PunchHole(fd(), offset, bytes);
  RETURN_IF_ERROR(absl::IsUnimplemented(punched) ? WriteZeros(fd(), offset, bytes) : punched);
  for (uint64_t block = BlockOf(offset); block < EndBlock(offset + bytes); ++block) Hold(block);
  return absl::OkStatus();
}

}  // namespace vmm
