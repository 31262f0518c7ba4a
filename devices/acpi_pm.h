// ACPI's fixed hardware: the PM1a event and control blocks and the power management timer. Each range is one device.
// ACPI 6.4, section 4.8.
#ifndef DEVICES_ACPI_PM_H_
#define DEVICES_ACPI_PM_H_

#include <functional>
#include <mutex>
#include <utility>

#include "absl/time/time.h"
#include "base/guest_request.h"
#include "devices/device.h"
#include "devices/irq_line.h"

namespace vmm {

// PM1a_EVT_BLK: status at 0, enable at 2, each 16 bits. The only event that happens is the power button. The SCI is
// level-triggered: it stays up until the guest clears the status. Any thread may call. The line is not owned.
class AcpiPm1Event final : public Device {
 public:
  static constexpr uint64_t kSize = 4;
  static constexpr uint16_t kPwrbtn = 1 << 8;  // PWRBTN_STS and PWRBTN_EN

  explicit AcpiPm1Event(IrqLine& sci) : sci_(sci) {}

  // Presses the power button, as a person does to ask for an orderly shutdown. A guest that listens powers off.
  void PressPowerButton();

  std::string_view name() const override { return "acpi-pm1-event"; }
  void Read(uint64_t offset, std::span<uint8_t> data) override;

  // Writing a one to a status bit clears it.
  void Write(uint64_t offset, std::span<const uint8_t> data) override;

 private:
  void UpdateSci();  // with mutex_ held

  std::mutex mutex_;
  IrqLine& sci_;
  bool sci_level_ = false;
  uint16_t status_ = 0;
  uint16_t enable_ = 0;
};

// PM1a_CNT_BLK: 16 bits. There is one sleep type, the one for \_S5 in the DSDT. Entering it is a kPowerOff request. Any
// thread may call. The sink is not owned.
class AcpiPm1Control final : public Device {
 public:
  static constexpr uint64_t kSize = 2;
  static constexpr uint16_t kSciEn = 1 << 0;  // always 1: there is no legacy mode
  static constexpr int kSlpTypShift = 10;     // 3 bits
  static constexpr uint16_t kSlpTypMask = 7 << kSlpTypShift;
  static constexpr uint16_t kSlpEn = 1 << 13;  // write-only
  static constexpr uint16_t kSlpTypS5 = 5;

  explicit AcpiPm1Control(GuestRequestSink& requests) : requests_(requests) {}

  std::string_view name() const override { return "acpi-pm1-control"; }
  void Read(uint64_t offset, std::span<uint8_t> data) override;
  void Write(uint64_t offset, std::span<const uint8_t> data) override;

 private:
  GuestRequestSink& requests_;
  std::mutex mutex_;
  uint16_t value_ = kSciEn;
};

// PM_TMR_BLK: a read-only counter of 32 bits (TMR_VAL_EXT in the FADT). Its low 24 bits are what a 24-bit timer would
// show. Its interrupt, TMR_STS, does not happen. Any thread may call.
class AcpiPmTimer final : public Device {
 public:
  static constexpr uint64_t kSize = 4;
  static constexpr int64_t kHertz = 3'579'545;

  // `elapsed` returns the time since some fixed moment. It must never go back, because Linux judges the TSC by this
  // counter. Any thread may call it.
  explicit AcpiPmTimer(std::function<absl::Duration()> elapsed) : elapsed_(std::move(elapsed)) {}

  std::string_view name() const override { return "acpi-pm-timer"; }
  void Read(uint64_t offset, std::span<uint8_t> data) override;
  void Write(uint64_t, std::span<const uint8_t>) override {}

 private:
  const std::function<absl::Duration()> elapsed_;
};

}  // namespace vmm

#endif  // DEVICES_ACPI_PM_H_
