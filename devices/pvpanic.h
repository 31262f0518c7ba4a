// pvpanic: the port through which a dying guest reports its panic. docs/abi/pvpanic.md describes it byte by byte.
//
// Today's protocol accesses the register as one byte; the 2012 kvm patches access it as 32 bits. So it is four bytes
// wide although ACPI describes one.
#ifndef DEVICES_PVPANIC_H_
#define DEVICES_PVPANIC_H_

#include "base/guest_request.h"
#include "base/panic_event.h"
#include "devices/device.h"

namespace vmm {

// Has no state: any thread may call. The sinks are not owned.
class Pvpanic final : public Device {
 public:
  static constexpr uint64_t kSize = 4;

  // Events have vcpu -1, because a device does not know which vCPU wrote.
  Pvpanic(PanicSink& panics, GuestRequestSink& requests) : panics_(panics), requests_(requests) {}

  std::string_view name() const override { return "pvpanic"; }
  void Read(uint64_t offset, std::span<uint8_t> data) override;

  // One write is at most one event. Panicked takes precedence over crash-loaded, and crash-loaded over shutdown. A
  // write of only unknown bits is no event.
  void Write(uint64_t offset, std::span<const uint8_t> data) override;

 private:
  PanicSink& panics_;
  GuestRequestSink& requests_;
};

}  // namespace vmm

#endif  // DEVICES_PVPANIC_H_
