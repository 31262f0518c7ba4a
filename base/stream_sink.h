// Writes a dump to an output that only goes forward: a pipe, a socket, standard output.
#ifndef BASE_STREAM_SINK_H_
#define BASE_STREAM_SINK_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "base/byte_sink.h"

namespace vmm {

// Used by one thread at a time. Bytes that no call wrote go out as zeros, or become
// holes of a file. If the reader stops reading, it waits,
// forever or until a stop is requested. The process must ignore SIGPIPE, so that a reader that is gone is an error.
class StreamSink final : public ByteSink {
 public:
  // After a stop is requested, a reader that takes nothing for this long ends the wait with DeadlineExceeded.
  static constexpr int kPatienceMs = 1000;

  // The caller keeps `fd`, which may be non-blocking. `name` is for messages. When `stop_fd` becomes readable, a stop
  // is requested. -1: none.
  StreamSink(int fd, std::string name, int stop_fd = -1);

  // ByteSink, but FailedPrecondition if `offset` lies before bytes that have already gone out.
  absl::Status WriteAt(uint64_t offset, std::span<const uint8_t> data) override;
  absl::Status SetSize(uint64_t size) override;

  // Writes zeros up to the size that was set. If `fd` is a file, waits until everything is on the disk.
  absl::Status Finish();

 private:
  absl::Status PutZeros(uint64_t size);
  absl::Status Put(std::span<const uint8_t> data);
  // Waits until a write would not block.
  absl::Status WaitForRoom() const;

  const int fd_;
  const std::string name_;
  const int stop_fd_;
  size_t piece_;  // bytes, the most that one write takes
  const bool can_have_holes_;
  uint64_t position_ = 0;
  uint64_t size_ = 0;
};

}  // namespace vmm

#endif  // BASE_STREAM_SINK_H_
