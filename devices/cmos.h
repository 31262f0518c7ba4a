// The PC's real-time clock and its battery-backed bytes: an MC146818 with an index port and a data port. The time is
// UTC, in BCD, 24 hours. The guest cannot select the other modes in register B.
//
// A guest that sets the clock moves its own time, not the host's. Alarm and NVRAM bytes are stored. There are no
// interrupts: the guest can set the alarm, periodic and update bits, but no interrupt comes. So a program in the guest
// that waits for one (hwclock without --directisa) times out.
#ifndef DEVICES_CMOS_H_
#define DEVICES_CMOS_H_

#include <array>
#include <mutex>

#include "absl/time/time.h"
#include "base/clock.h"
#include "devices/device.h"

namespace vmm {

// Any thread may call. The clock is not owned.
class Cmos final : public Device {
 public:
  static constexpr uint64_t kSize = 2;  // index, data

  // Registers: MC146818 data sheet, and the century byte, whose index is in the FADT.
  enum Register : uint8_t {
    kSeconds = 0x00,
    kMinutes = 0x02,
    kHours = 0x04,
    kDayOfWeek = 0x06,  // 1 is Sunday
    kDayOfMonth = 0x07,
    kMonth = 0x08,
    kYear = 0x09,  // of the century
    kRegisterA = 0x0a,
    kRegisterB = 0x0b,
    kRegisterC = 0x0c,
    kRegisterD = 0x0d,
    kCentury = 0x32,
  };

  static constexpr uint8_t kUip = 0x80;             // A: the time is about to change
  static constexpr uint8_t kDividerOn = 0x26;       // A: 32.768 kHz, 1024 Hz
  static constexpr uint8_t kSet = 0x80;             // B: the time is stopped so that it can be set
  static constexpr uint8_t kBinary = 0x04;          // B: not BCD; reads 0
  static constexpr uint8_t kTwentyFourHour = 0x02;  // B: reads 1
  static constexpr uint8_t kValidRam = 0x80;        // D: the battery is good

  explicit Cmos(const Clock& clock);

  std::string_view name() const override { return "cmos"; }

  // The index port reads as open bus, as on a PC.
  void Read(uint64_t offset, std::span<uint8_t> data) override;
  void Write(uint64_t offset, std::span<const uint8_t> data) override;

 private:
  static constexpr uint8_t kIndexMask = 0x7f;  // bit 7 of the index port masks NMI

  // Call these with mutex_ held.
  uint8_t ReadData();
  void WriteData(uint8_t value);

  bool IsStopped() const { return (bytes_[kRegisterB] & kSet) != 0; }
  absl::Time Now() const { return clock_.Now() + offset_; }

  // Copies the current time into the time registers, or from them.
  void LatchTime();
  void AdoptTime();

  const Clock& clock_;
  std::mutex mutex_;       // guards all members below
  absl::Duration offset_;  // the guest's time minus the host's
  uint8_t index_ = 0;
  std::array<uint8_t, 128> bytes_ = {};
};

}  // namespace vmm

#endif  // DEVICES_CMOS_H_
