// Standard input, which other processes may share, read without waiting in read(2): what poll(2) announced another
// reader may have taken meanwhile, and a run loop that waits for more sees neither signals nor its time-out.
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
  // `fd` is not owned, and its flags are not touched. It may be closed or not readable: then that is what ReadSome()
  // says.
  explicit SharedInput(int fd);

  // For poll(2), with POLLIN.
  int fd() const { return own_fd_.valid() ? own_fd_.get() : fd_; }

  // read(2), but -1 with EAGAIN where it would wait. One case is left: a pipe or terminal that this user may not open
  // again, on a kernel without RWF_NOWAIT for it. That is looked at just before it is read, and only another reader
  // between the two makes the call wait.
  ssize_t ReadSome(std::span<uint8_t> buffer);

 private:
  const int fd_;
  const UniqueFd own_fd_;  // the same pipe or terminal, opened again so that it may be non-blocking
};

}  // namespace vmm

#endif  // VMM_CONSOLE_SHARED_INPUT_H_
