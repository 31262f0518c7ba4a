#include "vmm/console/console_input.h"

namespace vmm {
namespace {

constexpr uint8_t kCtrlA = 0x01;

}  // namespace

bool ConsoleInput::Take(std::span<const uint8_t> bytes) {
  bool quit = false;
  for (const uint8_t byte : bytes) {
    if (escapes_ && !after_escape_ && byte == kCtrlA) {
      after_escape_ = true;
      continue;
    }
    if (after_escape_) {
      after_escape_ = false;
      if (byte == 'x' || byte == 'X') quit = true;
      const char key = static_cast<char>(byte | 0x20);
      if ((key == 'd' || key == 'n') && on_key_) on_key_(key);
      if (byte != kCtrlA) continue;
    }
    waiting_.push_back(byte);
  }
  Flush();
  return quit;
}

void ConsoleInput::Flush() {
  while (!waiting_.empty()) {
    const uint8_t byte = waiting_.front();
    if (receive_(std::span<const uint8_t>(&byte, 1)) == 0) return;
    waiting_.pop_front();
  }
}

}  // namespace vmm
