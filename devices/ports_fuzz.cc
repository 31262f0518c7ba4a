// Any accesses to the ports of the simple devices, fw_cfg's transfers into guest memory among them.
#include <array>
#include <memory>

#include "devices/acpi_pm.h"
#include "devices/bus.h"
#include "devices/cmos.h"
#include "devices/debug_console.h"
#include "devices/debug_exit.h"
#include "devices/fw_cfg.h"
#include "devices/i8042.h"
#include "devices/ib700.h"
#include "devices/pvpanic.h"
#include "devices/reset_control.h"
#include "devices/serial.h"
#include "fuzz/input.h"

namespace vmm {
namespace {

class StandingClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::FromUnixSeconds(1'600'000'000); }
};

class Nobody final : public IrqLine, public GuestRequestSink, public PanicSink {
 public:
  void Set(bool) override {}
  void OnGuestRequest(const GuestRequest&) override {}
  void OnPanic(const PanicEvent&) override {}
};

constexpr uint64_t kRam = 64 << 10;

GuestMemory& Ram() {
  static const auto& memory = *new std::unique_ptr<GuestMemory>([] {
    const std::array ranges = {GuestRange{GuestAddr{0}, kRam}};
    return *GuestMemory::Create(ranges);
  }());
  return *memory;
}

// One device every 16 ports. Between them nothing answers.
class Ports {
 public:
  explicit Ports(GuestMemory& memory) : fw_cfg_(memory) {
    uint64_t start = 0;
    for (const Place& place : places_) {
      FuzzCheck(bus_.Add(start, place.size, place.device).ok());
      start += 16;
    }
  }
  Bus& bus() { return bus_; }

 private:
  struct Place {
    uint64_t size = 0;
    Device* device = nullptr;
  };

  StandingClock clock_;
  Nobody nobody_;
  Serial serial_{nobody_, [](std::span<const uint8_t>) {}};
  Cmos cmos_{clock_};
  I8042 i8042_{nobody_};
  AcpiPm1Event event_{nobody_};
  AcpiPm1Control control_{nobody_};
  AcpiPmTimer timer_{[] { return absl::Seconds(1); }};
  DebugConsole console_{[](std::span<const uint8_t>) {}};
  DebugExit exit_{nobody_};
  Pvpanic pvpanic_{nobody_, nobody_};
  ResetControl reset_{nobody_};
  Ib700 watchdog_{clock_, [] {}};
  FwCfg fw_cfg_;
  Bus bus_;
  const std::array<Place, 12> places_ = {{{Serial::kSize, &serial_},
                                          {Cmos::kSize, &cmos_},
                                          {I8042::kSize, &i8042_},
                                          {AcpiPm1Event::kSize, &event_},
                                          {AcpiPm1Control::kSize, &control_},
                                          {AcpiPmTimer::kSize, &timer_},
                                          {DebugConsole::kSize, &console_},
                                          {DebugExit::kSize, &exit_},
                                          {Pvpanic::kSize, &pvpanic_},
                                          {ResetControl::kSize, &reset_},
                                          {Ib700::kSize, &watchdog_},
                                          {FwCfg::kSize, &fw_cfg_}}};
};

}  // namespace
}  // namespace vmm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vmm::FuzzInput input(data, size);
  vmm::GuestMemory& memory = vmm::Ram();
  vmm::Ports ports(memory);
  for (int step = 0; step < 4096 && !input.empty(); ++step) {
    const auto what = input.Take<uint8_t>();
    if (what % 4 == 3) {  // what fw_cfg may find in memory
      (void)memory.Write(vmm::GuestAddr{input.Take<uint16_t>()}, input.Bytes(32));
      continue;
    }
    std::array<uint8_t, 8> bytes = {};
    const std::span<uint8_t> access = std::span(bytes).first(size_t{1} << (what / 4 % 4));
    const uint64_t port = input.Take<uint8_t>();
    if (what % 4 == 0) {
      ports.bus().Read(port, access);
      continue;
    }
    const std::span<const uint8_t> value = input.Bytes(access.size());
    std::copy(value.begin(), value.end(), access.begin());
    ports.bus().Write(port, access);
  }
  return 0;
}
