// The reset control register of PIIX3 and ICH at port 0xcf9, one byte. The ACPI reset register points here, and Linux's
// `reboot=pci` writes it directly.
//
// The PCI address port at 0xcf8 is not part of this device. It is open bus, and the bus keeps a 32-bit access to it
// away from here.
#ifndef DEVICES_RESET_CONTROL_H_
#define DEVICES_RESET_CONTROL_H_

#include <atomic>

#include "base/guest_request.h"
#include "devices/device.h"

namespace vmm {

// Any thread may call. The sink is not owned.
class ResetControl final : public Device {
 public:
  static constexpr uint64_t kSize = 1;

  // Intel ICH9, section 13.7.5.
  static constexpr uint8_t kSysRst = 0x02;   // the next reset is a hard one
  static constexpr uint8_t kRstCpu = 0x04;   // reset now
  static constexpr uint8_t kFullRst = 0x08;  // with a power cycle

  explicit ResetControl(GuestRequestSink& requests) : requests_(requests) {}

  std::string_view name() const override { return "port 0xcf9"; }
  void Read(uint64_t offset, std::span<uint8_t> data) override;

  // kRstCpu is a kReset request, hard or soft.
  void Write(uint64_t offset, std::span<const uint8_t> data) override;

 private:
  GuestRequestSink& requests_;
  std::atomic<uint8_t> value_ = 0;  // never holds kRstCpu
};

}  // namespace vmm

#endif  // DEVICES_RESET_CONTROL_H_
