// Ends the run with a status: if a guest writes V to port 0xf4, the run's exit code is V for 0 to 119. (QEMU's
// isa-debug-exit turns it into (V << 1) | 1; here V is V.) The run decides the exit code for a V above 119:
// docs/exit-codes.md.
//
// The port after it is a doorbell: a write of one byte, whatever it is, tells the host to look at memory that it shares
// with the guest.
#ifndef DEVICES_DEBUG_EXIT_H_
#define DEVICES_DEBUG_EXIT_H_

#include <functional>
#include <utility>

#include "base/guest_request.h"
#include "devices/device.h"

namespace vmm {

// Any thread may call. The sink is not owned.
class DebugExit final : public Device {
 public:
  static constexpr uint64_t kSize = 4;

  explicit DebugExit(GuestRequestSink& requests) : requests_(requests) {}

  // Called on the vCPU thread that writes to the doorbell. REQUIRES: called once, before the machine runs. Without it
  // the doorbell is not connected.
  void set_on_doorbell(std::function<void()> doorbell) { on_doorbell_ = std::move(doorbell); }

  std::string_view name() const override { return "debug-exit"; }

  // All ones: there is nothing to read.
  void Read(uint64_t offset, std::span<uint8_t> data) override;

  // A write of 1, 2 or 4 bytes at offset 0 is a kExit request with that status, one of 1 byte at offset 1 the doorbell.
  void Write(uint64_t offset, std::span<const uint8_t> data) override;

 private:
  GuestRequestSink& requests_;
  std::function<void()> on_doorbell_;  // constant while the machine runs
};

}  // namespace vmm

#endif  // DEVICES_DEBUG_EXIT_H_
