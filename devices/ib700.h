// The IB700 watchdog: a guest that starts it must feed it in time, and when it does not, something in it hangs. The
// device only keeps until when; who waits for that moment, and what follows, is the run loop's.
#ifndef DEVICES_IB700_H_
#define DEVICES_IB700_H_

#include <atomic>
#include <cstdint>
#include <functional>

#include "absl/time/time.h"
#include "base/clock.h"
#include "devices/device.h"

namespace vmm {

// Any thread may call. The time is the host's: a guest that is kept from running is not given more of it, as on real
// hardware.
class Ib700 final : public Device {
 public:
  static constexpr uint64_t kSize = 3;

  // `on_change`, called on the vCPU's thread after each start and stop, must not block. `clock` is not owned.
  Ib700(const Clock& clock, std::function<void()> on_change) : clock_(clock), on_change_(std::move(on_change)) {}

  std::string_view name() const override { return "ib700"; }
  void Read(uint64_t offset, std::span<uint8_t> data) override;  // all ones
  void Write(uint64_t offset, std::span<const uint8_t> data) override;

  // When it expires; InfiniteFuture() while it is stopped.
  absl::Time deadline() const;

  // What it was started with last; 0 before the first time.
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
