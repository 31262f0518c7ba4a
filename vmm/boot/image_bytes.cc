#include "vmm/boot/image_bytes.h"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/guest_addr.h"

namespace vmm {

void Unmap::operator()(uint8_t* base) const { munmap(base, size); }

ImageBytes::ImageBytes(InputFile file)
    : file_(std::make_shared<const InputFile>(std::move(file))), size_(file_->size()) {}

ImageBytes::ImageBytes(MappedBytes memory, uint64_t size)
    : memory_(std::make_shared<const MappedBytes>(std::move(memory))), size_(size) {}

absl::Status ImageBytes::Read(uint64_t offset, std::span<uint8_t> out) const {
  uint64_t end = 0;
  if (!CheckedAdd(offset, out.size(), &end) || end > size_) {
    return absl::OutOfRangeError(absl::StrFormat("%d bytes at %#x are past the end at %#x", out.size(), offset, size_));
  }
  if (file_ != nullptr) return file_->Read(offset_ + offset, out);
  std::copy_n(memory_->get() + offset_ + offset, out.size(), out.begin());
  return absl::OkStatus();
}

ImageBytes ImageBytes::Part(uint64_t offset, uint64_t size) const {
  ImageBytes part = *this;
  part.offset_ += offset;
  part.size_ = size;
  return part;
}

}  // namespace vmm
