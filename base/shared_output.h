// Writes to a descriptor that other processes share with us, such as standard output or standard error. It never waits
// in write(2).
//
// O_NONBLOCK belongs to the open file, so setting it would change the descriptor for everybody who shares it. Instead,
// a pipe or device is opened again through /proc/self/fd, and a socket gets the flag with each call. If neither works
// (a pipe or terminal of another user), a separate thread does the blocking writes. That thread may stay blocked
// forever. It is then abandoned, and delays nobody.
#ifndef BASE_SHARED_OUTPUT_H_
#define BASE_SHARED_OUTPUT_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"

namespace vmm {

// Any thread may write. The process must ignore SIGPIPE: if the reader is gone, the error is EPIPE.
class SharedOutput {
 public:
  // kNever uses the thread even if the descriptor could be opened again.
  enum class Reopen { kTry, kNever };

  // Fails only if the thread or its pipe cannot be set up. `fd` is duplicated, so the caller may close it.
  static absl::StatusOr<std::unique_ptr<SharedOutput>> Open(int fd, Reopen reopen = Reopen::kTry);

  SharedOutput(const SharedOutput&) = delete;
  SharedOutput& operator=(const SharedOutput&) = delete;

  // Drains, and gives up after one second in which no byte was taken.
  ~SharedOutput();

  // Like write(2), but never waits: -1 with EAGAIN if it would have to.
  ssize_t WriteSome(std::span<const uint8_t> bytes);

  enum class Room { kYes, kCancelled, kTimeout };
  // Waits until WriteSome() is worth another try (also after an error), `cancel_fd` is readable, or `limit` has passed.
  // `cancel_fd` -1: nothing cancels.
  Room WaitForRoom(int cancel_fd, absl::Duration limit) const;

  // Writes all of `bytes`, as long as the reader takes some of them every `patience`, or every second once `stop_fd` is
  // readable. The message of DeadlineExceeded says how many it took. `stop_fd` -1: nothing stops it.
  absl::Status WriteAll(std::span<const uint8_t> bytes, int stop_fd, absl::Duration patience);

  // Call it last: nothing may be written afterwards. Waits, as WriteAll() does, until the thread has written what it
  // still holds, and returns its error. OK at once if there is no thread.
  absl::Status Drain(int stop_fd, absl::Duration patience);

 private:
  struct Relay;  // shared with the thread; outlives us if the thread is abandoned

  SharedOutput(UniqueFd fd, bool is_socket, std::shared_ptr<Relay> relay)
      : fd_(std::move(fd)), is_socket_(is_socket), relay_(std::move(relay)) {}

  static absl::StatusOr<std::unique_ptr<SharedOutput>> StartRelay(UniqueFd out);

  UniqueFd fd_;  // ours alone, or a socket, or a regular file, or the relay's pipe
  const bool is_socket_;
  const std::shared_ptr<Relay> relay_;  // null: no thread is needed
};

}  // namespace vmm

#endif  // BASE_SHARED_OUTPUT_H_
