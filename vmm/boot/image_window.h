// A view of guest RAM that looks like an ELF file. Once the file is decoded into it, each PT_LOAD's bytes are at their
// place in guest RAM, without a copy. Parts of the file outside every PT_LOAD (headers, relocations) are in separate
// memory, which is freed with the window.
//
// Half of a Linux image is zeros (.bss, .brk, room between sections). Their memory is given back, so that RAM the guest
// never touched is still untouched when it is dumped.
#ifndef VMM_BOOT_IMAGE_WINDOW_H_
#define VMM_BOOT_IMAGE_WINDOW_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "base/guest_memory.h"

namespace vmm {

// Used by one thread, while no vCPU runs. The GuestMemory must outlive it.
class ImageWindow {
 public:
  // Bytes [offset, offset + target.size) of the file belong to `target` in guest RAM.
  struct Piece {
    uint64_t offset = 0;
    GuestRange target;
  };

  // Creates a window of `size` bytes. OutOfRange if a target is not RAM or a piece is not in the window.
  // REQUIRES: the pieces are disjoint, both in the file and in memory.
  static absl::StatusOr<ImageWindow> Create(GuestMemory& memory, uint64_t size, std::span<const Piece> pieces);

  ImageWindow(ImageWindow&& other) noexcept;
  ImageWindow& operator=(ImageWindow&&) = delete;
  ~ImageWindow();

  std::span<uint8_t> bytes() { return {base_, size_}; }

  // Copies the remaining bytes to guest RAM: those that share a page with something else, or whose offset in the page
  // differs between file and memory. Then turns long runs of zeros into holes of the memfd again. Call it once, when
  // the bytes are final.
  absl::Status Commit();

 private:
  ImageWindow(GuestMemory& memory, uint8_t* base, uint64_t size) : memory_(&memory), base_(base), size_(size) {}

  // Pages of the window that are mapped from the memfd.
  struct Mapped {
    uint64_t offset = 0;  // in the window
    uint64_t size = 0;
    uint64_t file_offset = 0;  // in the memfd
  };

  absl::Status Map(const Piece& piece);
  absl::Status PunchZeros(const Mapped& mapped);

  GuestMemory* memory_;
  uint8_t* base_;  // the mapping; the destructor unmaps it
  uint64_t size_;
  std::vector<Piece> copies_;  // Commit() copies these
  std::vector<Mapped> mapped_;
};

}  // namespace vmm

#endif  // VMM_BOOT_IMAGE_WINDOW_H_
