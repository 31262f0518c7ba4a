// The keyboard controller's command port at 0x64, one byte. Only its reset line exists: there is no keyboard and no
// mouse, and the status makes a driver give up at once.
//
// The data port at 0x60 needs no device, because an absent controller reads as open bus.
#ifndef DEVICES_I8042_H_
#define DEVICES_I8042_H_

#include "base/guest_request.h"
#include "devices/device.h"

namespace vmm {

// Has no state: any thread may call. The sink is not owned.
class I8042 final : public Device {
 public:
  static constexpr uint64_t kSize = 1;

  // Commands 0xf0..0xff pulse the output lines whose bits are clear. Line 0 is the reset.
  static constexpr uint8_t kPulseOutput = 0xf0;

  // Status bits.
  static constexpr uint8_t kOutputFull = 0x01;  // a byte waits at 0x60
  static constexpr uint8_t kInputFull = 0x02;   // the controller is still busy with the last write

  // A read returns this: all ones except kInputFull. Linux decides that there is no controller if the output buffer is
  // still full after 16 reads, less than a millisecond (i8042_flush). A clear status would cost it half a second per
  // command. But its reboot waits up to 65536 reads for kInputFull to clear before it sends the reset (kb_wait), so
  // that bit must not be set.
  static constexpr uint8_t kAbsentStatus = 0xfd;

  explicit I8042(GuestRequestSink& requests) : requests_(requests) {}

  std::string_view name() const override { return "i8042"; }
  void Read(uint64_t offset, std::span<uint8_t> data) override;

  // A pulse of line 0 (0xfe in practice) is a kReset request.
  void Write(uint64_t offset, std::span<const uint8_t> data) override;

 private:
  GuestRequestSink& requests_;
};

}  // namespace vmm

#endif  // DEVICES_I8042_H_
