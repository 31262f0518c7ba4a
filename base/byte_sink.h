// The only way out for the bytes of a dump. A file in a directory (base/file_sink.h), or in
// tests a string that fails after N bytes.
#ifndef BASE_BYTE_SINK_H_
#define BASE_BYTE_SINK_H_

#include <cstdint>
#include <span>

#include "absl/status/status.h"

namespace vmm {

// Used by one thread at a time.
class ByteSink {
 public:
  virtual ~ByteSink() = default;

  // Puts all of `data` at `offset` of the output. What no call covered reads as zeros.
  // An error means that the output is lost: no later call can mend it.
  virtual absl::Status WriteAt(uint64_t offset, std::span<const uint8_t> data) = 0;

  // Makes the output exactly `size` bytes long, the new part zeros and, where it can be, a hole.
  virtual absl::Status SetSize(uint64_t size) = 0;
};

}  // namespace vmm

#endif  // BASE_BYTE_SINK_H_
