// Takes an input of a fuzz target apart: numbers first, and the rest as bytes. Missing bytes read as zeros.
#ifndef FUZZ_INPUT_H_
#define FUZZ_INPUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>

namespace vmm {

class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, size_t size) : left_(data, size) {}

  bool empty() const { return left_.empty(); }

  template <typename T>
  T Take() {
    T value = {};
    const std::span<const uint8_t> bytes = Bytes(sizeof(value));
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }

  // Fewer at the end of the input.
  std::span<const uint8_t> Bytes(size_t most) {
    const std::span<const uint8_t> bytes = left_.first(std::min(most, left_.size()));
    left_ = left_.subspan(bytes.size());
    return bytes;
  }

  std::span<const uint8_t> Rest() { return Bytes(left_.size()); }
  std::string_view Text() {
    const std::span<const uint8_t> bytes = Rest();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

 private:
  std::span<const uint8_t> left_;
};

// For what must hold for any input.
inline void FuzzCheck(bool holds) {
  if (!holds) std::abort();
}

}  // namespace vmm

#endif  // FUZZ_INPUT_H_
