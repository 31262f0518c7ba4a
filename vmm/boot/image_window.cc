#include "vmm/boot/image_window.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/zero_page.h"

namespace vmm {
namespace {

// Shorter runs are not worth a system call. In bytes.
constexpr uint64_t kShortestHole = 16 * kPageSize;

}  // namespace

absl::StatusOr<ImageWindow> ImageWindow::Create(GuestMemory& memory, uint64_t size, std::span<const Piece> pieces) {
  void* base = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return ErrnoStatus(errno, absl::StrFormat("map %d bytes to decode a kernel", size));
  ImageWindow window(memory, static_cast<uint8_t*>(base), size);
  for (const Piece& piece : pieces) RETURN_IF_ERROR(window.Map(piece));
  return window;
}

ImageWindow::ImageWindow(ImageWindow&& other) noexcept
    : memory_(other.memory_),
      base_(std::exchange(other.base_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      copies_(std::move(other.copies_)),
      mapped_(std::move(other.mapped_)) {}

ImageWindow::~ImageWindow() {
  if (base_ != nullptr) munmap(base_, size_);
}

absl::Status ImageWindow::Map(const Piece& piece) {
  if (!GuestRange{GuestAddr{0}, size_}.Contains(GuestRange{GuestAddr{piece.offset}, piece.target.size})) {
    return absl::OutOfRangeError(
        absl::StrFormat("%#x bytes at %#x are not in a window of %#x", piece.target.size, piece.offset, size_));
  }
  for (const GuestMemory::Region& region : memory_->regions()) {
    if (!region.range.Contains(piece.target)) continue;
    const uint64_t first = AlignUp(piece.offset, kPageSize);
    const uint64_t last = AlignDown(piece.offset + piece.target.size, kPageSize);
    if (piece.offset % kPageSize != piece.target.start.value % kPageSize || last <= first) {
      copies_.push_back(piece);
      return absl::OkStatus();
    }
    const uint64_t head = first - piece.offset;
    const uint64_t tail = piece.offset + piece.target.size - last;
    const uint64_t file_offset = region.file_offset + (piece.target.start.value - region.range.start.value) + head;
    // Populate all pages at once: a page fault per page would cost as much as decoding the page.
    void* mapped = mmap(base_ + first, last - first, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE,
                        memory_->fd(), static_cast<off_t>(file_offset));
    if (mapped == MAP_FAILED) return ErrnoStatus(errno, absl::StrFormat("map %d bytes of guest RAM", last - first));
    mapped_.push_back({first, last - first, file_offset});
    if (head != 0) copies_.push_back({piece.offset, {piece.target.start, head}});
    if (tail != 0) copies_.push_back({last, {GuestAddr{piece.target.end().value - tail}, tail}});
    return absl::OkStatus();
  }
  return absl::OutOfRangeError(
      absl::StrFormat("guest-physical %#x..+%#x is not RAM", piece.target.start.value, piece.target.size));
}

absl::Status ImageWindow::Commit() {
  for (const Piece& copy : copies_) {
    RETURN_IF_ERROR(memory_->Write(copy.target.start, bytes().subspan(copy.offset, copy.target.size)));
  }
  for (const Mapped& mapped : mapped_) RETURN_IF_ERROR(PunchZeros(mapped));
  return absl::OkStatus();
}

absl::Status ImageWindow::PunchZeros(const Mapped& mapped) {
  uint64_t run = 0;  // bytes of zeros before `at`
  for (uint64_t at = 0; at <= mapped.size; at += kPageSize) {
    if (at < mapped.size && IsZeroPage(base_ + mapped.offset + at)) {
      run += kPageSize;
      continue;
    }
    if (run >= kShortestHole &&
        fallocate(memory_->fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                  static_cast<off_t>(mapped.file_offset + at - run), static_cast<off_t>(run)) != 0) {
      return ErrnoStatus(errno, absl::StrFormat("give %d bytes of zeros in guest RAM back", run));
    }
    run = 0;
  }
  return absl::OkStatus();
}

}  // namespace vmm
