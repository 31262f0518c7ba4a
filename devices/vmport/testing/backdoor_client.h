// The guest's side of the backdoor, for tests: the calls that open-vm-tools' library makes, one by one.
#ifndef DEVICES_VMPORT_TESTING_BACKDOOR_CLIENT_H_
#define DEVICES_VMPORT_TESTING_BACKDOOR_CLIENT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "base/clock.h"
#include "devices/vmport/abi/vmport_abi.h"
#include "devices/vmport/backdoor.h"

namespace vmm {

// A clock that stands still until it is set.
class FixedClock final : public Clock {
 public:
  absl::Time Now() const override { return now; }
  absl::Time now = absl::FromUnixSeconds(1'600'000'000) + absl::Microseconds(250'000);
};

// Counts up, so that the test knows each cookie and all cookies differ.
class CountingRandom {
 public:
  bool operator()(std::span<uint8_t> bytes) {
    for (uint8_t& byte : bytes) byte = next_++;
    return true;
  }

 private:
  uint8_t next_ = 1;
};

// A backdoor with a clock that the test steps.
struct TestBackdoor {
  TestBackdoor() : TestBackdoor(BackdoorConfig()) {}
  explicit TestBackdoor(BackdoorConfig config)
      : backdoor(
            std::move(config), clock, [this] { return elapsed; }, CountingRandom()) {}

  FixedClock clock;
  absl::Duration elapsed = absl::Seconds(1000);
  Backdoor backdoor;
};

// One MESSAGE command, as it was sent and as it came back.
struct MessageReply {
  uint16_t status = 0;
  BackdoorRegisters registers = {};

  bool ok() const { return (status & kStatusSuccess) != 0; }
};

// A channel, as the guest knows it.
struct GuestChannel {
  uint16_t id = 0;
  uint32_t cookie_high = 0;
  uint32_t cookie_low = 0;

  bool operator==(const GuestChannel&) const = default;
};

MessageReply SendMessage(Backdoor& backdoor, uint16_t type, const GuestChannel& channel, uint32_t ebx = 0);

// Nothing if the backdoor refused.
std::optional<GuestChannel> OpenChannel(Backdoor& backdoor, uint32_t protocol = kProtocolRpci);

// Sends size and payload. Returns the status of the call that failed, or of the last one.
uint16_t SendText(Backdoor& backdoor, const GuestChannel& channel, std::string_view text);

// Fetches size, payload and status. Nothing if no message waits or a call failed.
std::optional<std::string> ReceiveText(Backdoor& backdoor, const GuestChannel& channel);

// Sends a request and returns its answer, on a channel of its own. "" if any call failed.
std::string CallRpci(Backdoor& backdoor, std::string_view request);

// Polls: sends `answer`, and returns the request that came back, or "".
std::string Poll(Backdoor& backdoor, const GuestChannel& channel, std::string_view answer = "");

// Opens a TCLO channel and does what vmtoolsd does, up to and including Capabilities_Register.
GuestChannel StartTools(Backdoor& backdoor, std::string_view program = "toolbox");

}  // namespace vmm

#endif  // DEVICES_VMPORT_TESTING_BACKDOOR_CLIENT_H_
