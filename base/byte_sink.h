// Takes the bytes of a dump: every dump is written through this interface. It is a file in a directory
// (base/file_sink.h), a stream (base/stream_sink.h), or in tests a string that fails after N bytes.
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

  // Writes all of `data` at `offset` of the output. Bytes that no call wrote read as zeros. After an error the output
  // is lost: no later call can repair it.
  virtual absl::Status WriteAt(uint64_t offset, std::span<const uint8_t> data) = 0;

  // Makes the output exactly `size` bytes long. The new part is zeros, and a hole if the output can have one.
  virtual absl::Status SetSize(uint64_t size) = 0;
};

}  // namespace vmm

#endif  // BASE_BYTE_SINK_H_
