// Converts between an object and its bytes, as files and RAM hold them. This processor is little-endian, and so is
// every format here.
#ifndef BASE_BYTES_H_
#define BASE_BYTES_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace vmm {

// A view of `object`, valid for as long as `object` is.
template <typename T>
requires std::is_trivially_copyable_v<T> std::span<const uint8_t> BytesOf(const T& object) {
  return {reinterpret_cast<const uint8_t*>(&object), sizeof object};
}

// The same, for writing.
template <typename T>
requires std::is_trivially_copyable_v<T> std::span<uint8_t> WritableBytesOf(T& object) {
  return {reinterpret_cast<uint8_t*>(&object), sizeof object};
}

// A copy of the bytes of `object`.
template <typename T>
requires std::is_trivially_copyable_v<T> std::string StringOf(const T& object) {
  return std::string(reinterpret_cast<const char*>(&object), sizeof object);
}

// A view of the bytes of `text`, valid for as long as `text` is.
inline std::span<const uint8_t> BytesOfText(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace vmm

#endif  // BASE_BYTES_H_
