// Bochs' debug console at port 0xe9: every byte written is printed. It has no set-up and no state, so a guest's first
// instruction can already print.
#ifndef DEVICES_DEBUG_CONSOLE_H_
#define DEVICES_DEBUG_CONSOLE_H_

#include <functional>
#include <mutex>
#include <utility>

#include "devices/device.h"

namespace vmm {

// Any thread may call.
class DebugConsole final : public Device {
 public:
  static constexpr uint64_t kSize = 1;

  // Reads return this value, so a guest knows that the port exists.
  static constexpr uint8_t kPresent = 0xe9;

  // `output` is called by one vCPU thread at a time and must not call back into the device.
  explicit DebugConsole(std::function<void(std::span<const uint8_t>)> output) : output_(std::move(output)) {}

  std::string_view name() const override { return "debug-console"; }
  void Read(uint64_t offset, std::span<uint8_t> data) override;
  void Write(uint64_t offset, std::span<const uint8_t> data) override;

 private:
  std::mutex mutex_;  // one byte after the other
  const std::function<void(std::span<const uint8_t>)> output_;
};

}  // namespace vmm

#endif  // DEVICES_DEBUG_CONSOLE_H_
