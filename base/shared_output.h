// A descriptor that other processes share with us, such as standard output or standard error, written without ever
// waiting in write(2).
//
// O_NONBLOCK belongs to the open file, so setting it would change the descriptor for everybody who shares it. A
// pipe or device is opened again instead, through /proc/self/fd, and a socket takes the flag with each call. Where
// neither works (a pipe or terminal of another user), a thread of its own does the blocking writes. That thread may
// stay blocked for ever: it is abandoned then, and holds up nobody.
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

// Any thread may write. The process must ignore SIGPIPE: a reader that is gone is EPIPE.
class SharedOutput {
 public:
  // kNever takes the thread even where the descriptor could be opened again.
  enum class Reopen { kTry, kNever };

  // Errors of the thread or its pipe only. `fd` is duplicated: the caller may close it.
  static absl::StatusOr<std::unique_ptr<SharedOutput>> Open(int fd, Reopen reopen = Reopen::kTry);

  SharedOutput(const SharedOutput&) = delete;
  SharedOutput& operator=(const SharedOutput&) = delete;

  // Drains for a second at most, without a new byte taken.
  ~SharedOutput();

  // write(2), except that it never waits: -1 with EAGAIN where it would have to.
  ssize_t WriteSome(std::span<const uint8_t> bytes);

  enum class Room { kYes, kCancelled, kTimeout };
  // Waits until WriteSome() is worth another try (an error is, too), `cancel_fd` is readable or `limit` is over.
  // `cancel_fd` -1: nothing cancels.
  Room WaitForRoom(int cancel_fd, absl::Duration limit) const;

  // All of `bytes`, as long as the reader takes some of them every `patience`; once `stop_fd` is readable, every
  // second. DeadlineExceeded says how many it took. -1: nothing stops.
  absl::Status WriteAll(std::span<const uint8_t> bytes, int stop_fd, absl::Duration patience);

  // Nothing is written after this. Waits, as WriteAll() does, for what the thread still holds, and returns its error.
  // OK at once where there is no thread.
  absl::Status Drain(int stop_fd, absl::Duration patience);

 private:
  struct Relay;  // shared with the thread, and outlives us if that is abandoned

  SharedOutput(UniqueFd fd, bool is_socket, std::shared_ptr<Relay> relay)
      : fd_(std::move(fd)), is_socket_(is_socket), relay_(std::move(relay)) {}

  static absl::StatusOr<std::unique_ptr<SharedOutput>> StartRelay(UniqueFd out);

  UniqueFd fd_;  // ours alone, or a socket, or a regular file; the relay's pipe
  const bool is_socket_;
  const std::shared_ptr<Relay> relay_;  // null where no thread is needed
};

}  // namespace vmm

#endif  // BASE_SHARED_OUTPUT_H_
