// The console's last lines and when each began, so that they stand on the same time line as the exits.
#ifndef VMM_RECORDER_CONSOLE_RECORDER_H_
#define VMM_RECORDER_CONSOLE_RECORDER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <utility>

#include "dump/flight/console_note.h"

namespace vmm {

// Any thread may call; one console's bytes must come in their order.
class ConsoleRecorder {
 public:
  static constexpr size_t kLines = 512;
  static constexpr size_t kMaxText = 256;  // bytes kept of a line

  // `tsc` reads the host's. It is called with the recorder's lock held, so that the lines of two consoles stand in the
  // order of their times; one that goes back, as from host CPU to host CPU, counts as one that stands still.
  explicit ConsoleRecorder(std::function<uint64_t()> tsc) : tsc_(std::move(tsc)) {}

  void Record(std::span<const uint8_t> bytes);

  // The lines so far; one without its newline counts too.
  ConsoleNote Note() const;

 private:
  const std::function<uint64_t()> tsc_;
  mutable std::mutex mutex_;  // guards all below
  std::deque<ConsoleLine> lines_;
  uint64_t seen_ = 0;
  uint64_t last_tsc_ = 0;
  bool in_line_ = false;  // the last line is not at its end
};

}  // namespace vmm

#endif  // VMM_RECORDER_CONSOLE_RECORDER_H_
