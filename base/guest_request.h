// A guest's request to its machine through a device: to power off, to reset, or to end with a status. As with a panic,
// this only reports the request; the run loop acts on it.
#ifndef BASE_GUEST_REQUEST_H_
#define BASE_GUEST_REQUEST_H_

#include <cstdint>
#include <string_view>

namespace vmm {

struct GuestRequest {
  enum class Kind {
    kPowerOff,
    kReset,
    kExit,  // the debug-exit port: the run ends with `status`
  };
  Kind kind = Kind::kPowerOff;
  std::string_view by;  // the device that got it, a literal: "acpi", "i8042", "port 0xcf9"
  uint32_t status = 0;  // kExit only: the value written
};

// Receives requests. Any vCPU thread may call it. It must not block.
class GuestRequestSink {
 public:
  virtual ~GuestRequestSink() = default;
  virtual void OnGuestRequest(const GuestRequest& request) = 0;
};

}  // namespace vmm

#endif  // BASE_GUEST_REQUEST_H_
