// An output that only goes forward: a pipe, a socket, standard output.
#ifndef BASE_STREAM_SINK_H_
#define BASE_STREAM_SINK_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "base/byte_sink.h"

namespace vmm {

// Used by one thread at a time. What no call covered goes out as zeros. A reader that does not read is
// waited for, for ever or until somebody says stop. A process that uses it must ignore SIGPIPE: a reader that is gone
// is an error then.
class StreamSink final : public ByteSink {
 public:
  // Once somebody said stop, a reader that takes nothing for so long is not waited for any more: DeadlineExceeded.
  static constexpr int kPatienceMs = 1000;

  // `fd` stays the caller's; it may be non-blocking. `name` is for messages. `stop_fd`: readable from the stop on; -1:
  // there is none.
  StreamSink(int fd, std::string name, int stop_fd = -1);

  // ByteSink, but FailedPrecondition where `offset` lies before what has gone out already.
  absl::Status WriteAt(uint64_t offset, std::span<const uint8_t> data) override;
  absl::Status SetSize(uint64_t size) override;

  // Zeros up to the size that was set; where `fd` is a file, waits until all is on the disk.
  absl::Status Finish();

 private:
  absl::Status PutZeros(uint64_t size);
  absl::Status Put(std::span<const uint8_t> data);
  // Until something can be written without waiting.
  absl::Status WaitForRoom() const;

  const int fd_;
  const std::string name_;
  const int stop_fd_;
  size_t piece_;  // the most that is written at once
  uint64_t position_ = 0;
  uint64_t size_ = 0;
};

}  // namespace vmm

#endif  // BASE_STREAM_SINK_H_
