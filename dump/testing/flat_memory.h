// Guest RAM from address 0 up, in one vector, for tests that read and change it a million times.
#ifndef DUMP_TESTING_FLAT_MEMORY_H_
#define DUMP_TESTING_FLAT_MEMORY_H_

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "base/physical_memory.h"

namespace vmm {

class FlatMemory final : public PhysicalMemory {
 public:
  explicit FlatMemory(std::vector<uint8_t> bytes) : bytes_(std::move(bytes)) {}

  // A copy of the first `size` bytes of `memory`. They must all be RAM.
  static absl::StatusOr<FlatMemory> Copy(const PhysicalMemory& memory, uint64_t size) {
    std::vector<uint8_t> bytes(size);
    RETURN_IF_ERROR(memory.Read(GuestAddr{0}, bytes));
    return FlatMemory(std::move(bytes));
  }

  // The bytes of all RAM. They may be changed while nobody reads.
  std::vector<uint8_t>& bytes() { return bytes_; }

  // Reads a word of RAM. `at` and the 7 bytes after it must be RAM.
  uint64_t Word(uint64_t at) const {
    uint64_t word = 0;
    std::memcpy(&word, &bytes_[at], sizeof(word));
    return word;
  }
  void PutWord(uint64_t at, uint64_t word) { std::memcpy(&bytes_[at], &word, sizeof(word)); }

  std::vector<GuestRange> Ranges() const override { return {{GuestAddr{0}, bytes_.size()}}; }
  absl::StatusOr<std::vector<GuestRange>> DataExtents() const override { return Ranges(); }
  absl::Status Read(GuestAddr addr, std::span<uint8_t> out) const override {
    if (addr.value > bytes_.size() || out.size() > bytes_.size() - addr.value) return absl::OutOfRangeError("no RAM");
    std::memcpy(out.data(), bytes_.data() + addr.value, out.size());
    return absl::OkStatus();
  }

 private:
  std::vector<uint8_t> bytes_;
};

}  // namespace vmm

#endif  // DUMP_TESTING_FLAT_MEMORY_H_
