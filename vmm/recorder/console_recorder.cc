#include "vmm/recorder/console_recorder.h"

namespace vmm {

void ConsoleRecorder::Record(std::span<const uint8_t> bytes, uint64_t tsc) {
  const std::lock_guard lock(mutex_);
  for (const uint8_t byte : bytes) {
    if (byte == '\n') {
      in_line_ = false;
      continue;
    }
    if (byte == '\r') continue;
    if (!in_line_) {
      in_line_ = true;
      ++seen_;
      lines_.push_back({.tsc = tsc});
      if (lines_.size() > kLines) lines_.pop_front();
    }
    ConsoleLine& line = lines_.back();
    ++line.full_size;
    if (line.text.size() < kMaxText) line.text += static_cast<char>(byte);
  }
}

ConsoleNote ConsoleRecorder::Note() const {
  const std::lock_guard lock(mutex_);
  return {.lines_seen = seen_, .lines = {lines_.begin(), lines_.end()}};
}

}  // namespace vmm
