// The machine's devices, on their buses. A new device needs a member here and a line or two in DeviceSet::Create.
#ifndef VMM_MACHINE_DEVICE_SET_H_
#define VMM_MACHINE_DEVICE_SET_H_

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/guest_memory.h"
#include "devices/acpi_pm.h"
#include "devices/bus.h"
#include "devices/cmos.h"
#include "devices/debug_console.h"
#include "devices/debug_exit.h"
#include "devices/fw_cfg.h"
#include "devices/i8042.h"
#include "devices/ib700.h"
#include "devices/irq_line.h"
#include "devices/pc_testdev.h"
#include "devices/pvpanic.h"
#include "devices/reset_control.h"
#include "devices/serial.h"
#include "devices/vmport/backdoor.h"
#include "vmm/vcpu/dispatch_exit.h"
#include "vmm/vcpu/run_events.h"

namespace vmm {

// Built by one thread; afterwards any vCPU thread may drive the buses.
class DeviceSet {
 public:
  // The objects that the devices are wired to. All of them must outlive the devices.
  struct Wiring {
    GuestMemory& memory;
    IrqLine& serial_irq;
    IrqLine& sci;
    RunEvents& events;
    Serial::Output console;                  // output of both consoles; any vCPU thread calls it
    std::optional<BackdoorConfig> backdoor;  // empty: the machine has no backdoor ports
    bool ib700 = false;                      // true: the machine has a watchdog
    int cpus = 1;                            // as fw_cfg gives it
    TestIrqLines::LineOf test_irq_lines;     // null: the machine has no test device
  };
  static absl::StatusOr<std::unique_ptr<DeviceSet>> Create(const Wiring& wiring);

  DeviceSet(const DeviceSet&) = delete;
  DeviceSet& operator=(const DeviceSet&) = delete;

  Buses buses() { return {pio_, mmio_, backdoor_.get()}; }
  Bus& mmio() { return mmio_; }  // for devices to be added before a vCPU runs
  Serial& serial() { return serial_; }
  const Ib700* watchdog() const { return ib700_.get(); }  // null unless one was wired
  Backdoor* backdoor() { return backdoor_.get(); }        // null unless one was wired
  const FwCfg& fw_cfg() const { return fw_cfg_; }
  DebugExit& debug_exit() { return debug_exit_; }

 private:
  explicit DeviceSet(const Wiring& wiring);

  SystemClock clock_;
  Serial serial_;
  Pvpanic pvpanic_;
  FwCfg fw_cfg_;
  AcpiPm1Event pm1_event_;
  AcpiPm1Control pm1_control_;
  AcpiPmTimer pm_timer_;
  I8042 i8042_;
  ResetControl reset_control_;
  Cmos cmos_;
  DebugExit debug_exit_;
  DebugConsole debug_console_;
  std::unique_ptr<Ib700> ib700_;
  std::unique_ptr<Backdoor> backdoor_;
  std::unique_ptr<PcTestdev> testdev_;
  Bus pio_;
  Bus mmio_;  // virtio devices and the test device's memory; KVM has the interrupt controllers
};

}  // namespace vmm

#endif  // VMM_MACHINE_DEVICE_SET_H_
