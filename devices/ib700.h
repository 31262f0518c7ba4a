// The IB700 watchdog. A guest that starts it must feed it in time; if it does not, something in it hangs. The device
// only stores the deadline. The run loop waits for it and decides what follows.
#ifndef DEVICES_IB700_H_
#define DEVICES_IB700_H_

#include <atomic>
#include <cstdint>
#include <functional>

#include "absl/time/time.h"
#include "base/clock.h"
#include "devices/device.h"

namespace vmm {

// Any thread may call. It runs on the host's time: a guest that is kept from running gets no extra time, as on real
// hardware.
class Ib700 final : public Device {
 public:
  static constexpr uint64_t kSize = 3;

  // `on_change` is called on the vCPU's thread after each start and stop, and must not block. `clock` is not owned.
  Ib700(const Clock& clock, std::function<void()> on_change) : clock_(clock), on_change_(std::move(on_change)) {}

  std::string_view name() const override { return "ib700"; }
  void Read(uint64_t offset, std::span<uint8_t> data) override;  // all ones
  void Write(uint64_t offset, std::span<const uint8_t> data) override;

  // The time at which it expires. InfiniteFuture() while it is stopped.
  absl::Time deadline() const;

  // The timeout of the last start. 0 before the first start.
  absl::Duration timeout() const { return absl::Nanoseconds(timeout_.load()); }

 private:
  static constexpr int64_t kStopped = INT64_MAX;

  const Clock& clock_;
  const std::function<void()> on_change_;
  std::atomic<int64_t> deadline_ = kStopped;  // ns since the epoch
  std::atomic<int64_t> timeout_ = 0;          // ns
};

}  // namespace vmm

#endif  // DEVICES_IB700_H_
