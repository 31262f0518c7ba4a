// Keeps the beginning of a stream that may have any length.
#ifndef VMM_LIB_CAPTURE_H_
#define VMM_LIB_CAPTURE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <utility>

#include "vmm/lib/libvmm.h"

namespace libvmm {

// Used by one thread at a time.
class Capture {
 public:
  // `on_bytes` sees all of the stream; may be empty.
  Capture(size_t keep_bytes, std::function<void(std::string_view)> on_bytes)
      : keep_bytes_(keep_bytes), on_bytes_(std::move(on_bytes)) {}

  void Take(std::span<const uint8_t> bytes) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const size_t kept = std::min(text.size(), keep_bytes_ - stream_.bytes.size());
    stream_.bytes.append(text.substr(0, kept));
    stream_.dropped += text.size() - kept;
    if (on_bytes_) on_bytes_(text);
  }

  Stream Release() { return std::move(stream_); }

 private:
  const size_t keep_bytes_;
  const std::function<void(std::string_view)> on_bytes_;
  Stream stream_;  // never more than keep_bytes_
};

}  // namespace libvmm

#endif  // VMM_LIB_CAPTURE_H_
