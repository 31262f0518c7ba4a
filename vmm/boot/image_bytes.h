// The bytes of a kernel or an initrd: a file's bytes, the bytes that a file decompressed to, or a part of either. A
// reader of an image need not know which.
#ifndef VMM_BOOT_IMAGE_BYTES_H_
#define VMM_BOOT_IMAGE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "base/input_file.h"

namespace vmm {

// Unmaps memory from mmap(2).
struct Unmap {
  size_t size = 0;
  void operator()(uint8_t* base) const;
};
using MappedBytes = std::unique_ptr<uint8_t[], Unmap>;

// Immutable. Copies share the underlying file or memory. Any thread may call it.
class ImageBytes {
 public:
  explicit ImageBytes(InputFile file);
  // The first `size` bytes of `memory`. REQUIRES: `memory` has at least `size` bytes.
  ImageBytes(MappedBytes memory, uint64_t size);

  uint64_t size() const { return size_; }

  // Fills `out` with the bytes from `offset`. DataLoss if the file has become too short for that.
  absl::Status Read(uint64_t offset, std::span<uint8_t> out) const;

  // Returns `size` bytes from `offset`. REQUIRES: they lie within size().
  ImageBytes Part(uint64_t offset, uint64_t size) const;

 private:
  std::shared_ptr<const InputFile> file_;      // one of these two is set
  std::shared_ptr<const MappedBytes> memory_;  //
  uint64_t offset_ = 0;                        // in file_ or memory_: where these bytes begin
  uint64_t size_ = 0;
};

}  // namespace vmm

#endif  // VMM_BOOT_IMAGE_BYTES_H_
