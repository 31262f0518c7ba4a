#include "vmm/recorder/console_recorder.h"

#include <algorithm>
#include <limits>

namespace vmm {

void ConsoleRecorder::Record(std::span<const uint8_t> bytes) {
  const std::lock_guard lock(mutex_);
  last_tsc_ = std::max(last_tsc_, tsc_());
  for (const uint8_t byte : bytes) {
    if (byte == '\n') {
      in_line_ = false;
      continue;
    }
    if (byte == '\r') continue;
    if (!in_line_) {
      in_line_ = true;
      ++seen_;
      lines_.push_back({.tsc = last_tsc_});
      if (lines_.size() > kLines) lines_.pop_front();
    }
    ConsoleLine& line = lines_.back();
    if (line.full_size < std::numeric_limits<uint32_t>::max()) ++line.full_size;
    if (line.text.size() < kMaxText) line.text += static_cast<char>(byte);
  }
}

ConsoleNote ConsoleRecorder::Note() const {
  const std::lock_guard lock(mutex_);
  return {.lines_seen = seen_, .lines = {lines_.begin(), lines_.end()}};
}

}  // namespace vmm
