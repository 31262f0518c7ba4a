// The console's last lines and when each began, so that they stand on the same time line as the exits.
#ifndef VMM_RECORDER_CONSOLE_RECORDER_H_
#define VMM_RECORDER_CONSOLE_RECORDER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <span>

#include "dump/flight/console_note.h"

namespace vmm {

// Any thread may call; one console's bytes must come in their order.
class ConsoleRecorder {
 public:
  static constexpr size_t kLines = 512;
  static constexpr size_t kMaxText = 256;  // bytes kept of a line

  // `tsc` is the host's, now.
  void Record(std::span<const uint8_t> bytes, uint64_t tsc);

  // The lines so far; one without its newline counts too.
  ConsoleNote Note() const;

 private:
  mutable std::mutex mutex_;  // guards all below
  std::deque<ConsoleLine> lines_;
  uint64_t seen_ = 0;
  bool in_line_ = false;  // the last line is not at its end
};

}  // namespace vmm

#endif  // VMM_RECORDER_CONSOLE_RECORDER_H_
