// pvpanic: the port by which a dying guest says so. docs/abi/pvpanic.md has it byte by byte.
//
// The register is read and written by today's byte protocol and by the 32-bit one of the 2012
// kvm patches alike, so it is four bytes wide although ACPI describes one.
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

  // Events leave with vcpu -1: a device does not know who wrote.
  Pvpanic(PanicSink& panics, GuestRequestSink& requests) : panics_(panics), requests_(requests) {}

  std::string_view name() const override { return "pvpanic"; }
  void Read(uint64_t offset, std::span<uint8_t> data) override;

  // One write is at most one event: panicked before crash-loaded before shutdown. A write of
  // nothing but unknown bits is none.
  void Write(uint64_t offset, std::span<const uint8_t> data) override;

 private:
  PanicSink& panics_;
  GuestRequestSink& requests_;
};

}  // namespace vmm

#endif  // DEVICES_PVPANIC_H_
