// Reads standard input, which other processes may share, without blocking in read(2). Another reader may have taken the
// bytes that poll(2) announced, and a run loop that then blocks sees neither signals nor its time-out.
#ifndef VMM_CONSOLE_SHARED_INPUT_H_
#define VMM_CONSOLE_SHARED_INPUT_H_

#include <sys/types.h>

#include <cstdint>
#include <span>

#include "base/unique_fd.h"

namespace vmm {

// Used by one thread at a time.
class SharedInput {
 public:
  // Does not own `fd` and leaves its flags alone. `fd` may be closed or unreadable: then ReadSome() says so.
  explicit SharedInput(int fd);

  // For poll(2), with POLLIN.
  int fd() const { return own_fd_.valid() ? own_fd_.get() : fd_; }

  // Like read(2), but gives -1 with EAGAIN instead of blocking. One case remains: a pipe or terminal that this user may
  // not open again, on a kernel without RWF_NOWAIT for it. It is polled just before the read, and the call blocks only
  // if another reader takes the bytes in between.
  ssize_t ReadSome(std::span<uint8_t> buffer);

 private:
  const int fd_;
  const UniqueFd own_fd_;  // the same pipe or terminal, opened again so that it may be non-blocking
};

}  // namespace vmm

#endif  // VMM_CONSOLE_SHARED_INPUT_H_
