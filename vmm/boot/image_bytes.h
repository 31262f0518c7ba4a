// The bytes that a kernel or an initrd is read from: those of a file, those that a file
// decompressed to, or a part of either. A reader of an image need not know which.
#ifndef VMM_BOOT_IMAGE_BYTES_H_
#define VMM_BOOT_IMAGE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "base/input_file.h"

namespace vmm {

// Unmaps memory that mmap(2) gave.
struct Unmap {
  size_t size = 0;
  void operator()(uint8_t* base) const;
};
using MappedBytes = std::unique_ptr<uint8_t[], Unmap>;

// Immutable; copies share what they read from. Any thread may call.
class ImageBytes {
 public:
  explicit ImageBytes(InputFile file);
  // The first `size` bytes of `memory`. REQUIRES: it has as many.
  ImageBytes(MappedBytes memory, uint64_t size);

  uint64_t size() const { return size_; }

  // Fills `out` from `offset` on. DataLoss where the file has become too short for it.
  absl::Status Read(uint64_t offset, std::span<uint8_t> out) const;

  // `size` bytes from `offset` on. REQUIRES: they lie within size().
  ImageBytes Part(uint64_t offset, uint64_t size) const;

 private:
  std::shared_ptr<const InputFile> file_;      // one of these two
  std::shared_ptr<const MappedBytes> memory_;  //
  uint64_t offset_ = 0;                        // where these bytes begin in it
  uint64_t size_ = 0;
};

}  // namespace vmm

#endif  // VMM_BOOT_IMAGE_BYTES_H_
