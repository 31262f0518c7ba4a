// Any sequence of INs and OUTs, the cookies of open channels among them: an OUT leaves EAX as it is.
#include <array>
#include <string>
#include <vector>

#include "devices/vmport/backdoor.h"
#include "fuzz/input.h"

namespace vmm {
namespace {

class StandingClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::FromUnixSeconds(1'600'000'000); }
};

struct Channel {
  uint32_t id = 0, high = 0, low = 0;
};

// One byte says which of the registers are a real client's.
BackdoorRegisters Registers(FuzzInput& input, uint8_t mode, const Channel& channel) {
  const auto type = input.Take<uint8_t>();
  BackdoorRegisters in = {};
  in.eax = (mode & 1) != 0 ? input.Take<uint32_t>() : kBackdoorMagic;
  in.ebx = input.Take<uint32_t>();
  in.ecx = (mode & 2) != 0 ? input.Take<uint32_t>() : uint32_t{type} % 8 << 16 | kCmdMessage;
  in.edx = (mode & 4) != 0 ? input.Take<uint32_t>() : channel.id | kBackdoorPort;
  in.esi = (mode & 8) != 0 ? input.Take<uint32_t>() : channel.high;
  in.edi = (mode & 8) != 0 ? input.Take<uint32_t>() : channel.low;
  return in;
}

}  // namespace
}  // namespace vmm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vmm;  // NOLINT(google-build-using-namespace)
  FuzzInput input(data, size);
  const StandingClock clock;
  absl::Duration elapsed = absl::Seconds(1000);
  uint8_t next = 1;
  const auto random = [&](std::span<uint8_t> bytes) {
    for (uint8_t& byte : bytes) byte = next++;
    return true;
  };
  Backdoor backdoor(
      {}, clock, [&] { return elapsed; }, random);
  FuzzCheck(backdoor.SetGuestInfo("a", "hello").ok());
  std::array<Channel, 2> channels;
  for (int step = 0; step < 4096 && !input.empty(); ++step) {
    const auto mode = input.Take<uint8_t>();
    Channel& channel = channels[mode >> 7];
    if ((mode & 0x70) == 0x70) {
      elapsed += absl::Seconds(input.Take<uint8_t>());
      (void)backdoor.TakeResults();
      continue;
    }
    const BackdoorRegisters in = Registers(input, mode, channel);
    BackdoorRegisters out = in;
    if ((mode & 0x10) != 0) {
      backdoor.Out((mode >> 5) & 3, 4, out);
      FuzzCheck(out.eax == in.eax);
      continue;
    }
    backdoor.In(0, 4, out);
    if (in.ecx == (uint32_t{kMessageOpen} << 16 | kCmdMessage)) channel = {out.edx & 0xffff0000, out.esi, out.edi};
  }
  return 0;
}
