#include "vmm/machine/device_set.h"

#include <chrono>
#include <functional>

#include "base/status.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

// Returns a function that gives the time since the machine was made, on a monotonic clock.
std::function<absl::Duration()> SinceNow() {
  const auto start = std::chrono::steady_clock::now();
  return [start] { return absl::FromChrono(std::chrono::steady_clock::now() - start); };
}

}  // namespace

DeviceSet::DeviceSet(const Wiring& wiring)
    : serial_(wiring.serial_irq, wiring.console),
      pvpanic_(wiring.events, wiring.events),
      fw_cfg_(wiring.memory, wiring.cpus),
      pm1_event_(wiring.sci),
      pm1_control_(wiring.events),
      pm_timer_(SinceNow()),
      i8042_(wiring.events),
      reset_control_(wiring.events),
      cmos_(clock_),
      debug_exit_(wiring.events),
      debug_console_(wiring.console) {
  serial_.set_on_room([&events = wiring.events] { events.Wake(); });
}

absl::StatusOr<std::unique_ptr<DeviceSet>> DeviceSet::Create(const Wiring& wiring) {
  std::unique_ptr<DeviceSet> set(new DeviceSet(wiring));
  Bus& pio = set->pio_;
  RETURN_IF_ERROR(pio.Add(kSerialPort, Serial::kSize, &set->serial_));
  RETURN_IF_ERROR(pio.Add(kPvpanicPort, Pvpanic::kSize, &set->pvpanic_));
  RETURN_IF_ERROR(pio.Add(kFwCfgPort, FwCfg::kSize, &set->fw_cfg_));
  RETURN_IF_ERROR(pio.Add(kAcpiPm1EventPort, AcpiPm1Event::kSize, &set->pm1_event_));
  RETURN_IF_ERROR(pio.Add(kAcpiPm1ControlPort, AcpiPm1Control::kSize, &set->pm1_control_));
  RETURN_IF_ERROR(pio.Add(kAcpiPmTimerPort, AcpiPmTimer::kSize, &set->pm_timer_));
  RETURN_IF_ERROR(pio.Add(kI8042Port, I8042::kSize, &set->i8042_));
  RETURN_IF_ERROR(pio.Add(kResetPort, ResetControl::kSize, &set->reset_control_));
  RETURN_IF_ERROR(pio.Add(kCmosPort, Cmos::kSize, &set->cmos_));
  RETURN_IF_ERROR(pio.Add(kDebugExitPort, DebugExit::kSize, &set->debug_exit_));
  if (wiring.ib700) {
    set->ib700_ = std::make_unique<Ib700>(set->clock_, [&events = wiring.events] { events.Wake(); });
    RETURN_IF_ERROR(pio.Add(kIb700Port, Ib700::kSize, set->ib700_.get()));
  }
  if (wiring.test_irq_lines != nullptr) {
    set->testdev_ = std::make_unique<PcTestdev>(wiring.memory, wiring.test_irq_lines);
    PcTestdev& testdev = *set->testdev_;
    RETURN_IF_ERROR(pio.Add(kTestRegisterPort, TestRegister::kSize, &testdev.echo));
    RETURN_IF_ERROR(pio.Add(kTestFlushPort, TestFlush::kSize, &testdev.flush));
    RETURN_IF_ERROR(pio.Add(kTestRegisterBytePort, TestRegister::kSize, &testdev.echo));
    RETURN_IF_ERROR(pio.Add(kTestIrqPort, TestIrqLines::kSize, &testdev.irq_lines));
    RETURN_IF_ERROR(set->mmio_.Add(kTestMemory, TestMemory::kSize, &testdev.memory));
  } else {  // the register's second place has the debug console's port
    RETURN_IF_ERROR(pio.Add(kDebugConsolePort, DebugConsole::kSize, &set->debug_console_));
  }
  if (wiring.backdoor.has_value()) {
    set->backdoor_ = std::make_unique<Backdoor>(*wiring.backdoor, set->clock_, SinceNow());
    RETURN_IF_ERROR(pio.Add(kBackdoorPort, Backdoor::kSize, set->backdoor_.get()));
  }
  return set;
}

}  // namespace vmm
