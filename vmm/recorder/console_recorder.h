// Keeps the console's last lines and the time at which each began, so that they share a time line with the exits.
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

// Any thread may call; the bytes of one console must arrive in order.
class ConsoleRecorder {
 public:
  static constexpr size_t kLines = 512;
  static constexpr size_t kMaxText = 256;  // bytes kept of one line

  // `tsc` reads the host's TSC. It is called with the recorder's lock held, so that the lines of two consoles are in
  // the order of their times. If it goes back, as it may from one host CPU to another, it counts as standing still.
  explicit ConsoleRecorder(std::function<uint64_t()> tsc) : tsc_(std::move(tsc)) {}

  void Record(std::span<const uint8_t> bytes);

  // The lines so far, including one that has no newline yet.
  ConsoleNote Note() const;

 private:
  const std::function<uint64_t()> tsc_;
  mutable std::mutex mutex_;  // guards all below
  std::deque<ConsoleLine> lines_;
  uint64_t seen_ = 0;
  uint64_t last_tsc_ = 0;
  bool in_line_ = false;  // the last line has no newline yet
};

}  // namespace vmm

#endif  // VMM_RECORDER_CONSOLE_RECORDER_H_
