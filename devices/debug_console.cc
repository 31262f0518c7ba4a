#include "devices/debug_console.h"

namespace vmm {

void DebugConsole::Read(uint64_t, std::span<uint8_t> data) { data[0] = kPresent; }

void DebugConsole::Write(uint64_t, std::span<const uint8_t> data) {
  std::lock_guard lock(mutex_);
  output_(data);
}

}  // namespace vmm
