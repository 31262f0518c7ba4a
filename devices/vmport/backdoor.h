// VMware's backdoor at ports 0x5658 to 0x565b: the register commands, and behind one of them
// the message channels by which guest and host talk. docs/abi/vmport.md tells what it answers.
//
// The registers reach it by In() and Out(), from one who has them. As a Device on the port bus
// it keeps the four ports from every other device, and is an access without registers (a string
// instruction) like open bus.
#ifndef DEVICES_VMPORT_BACKDOOR_H_
#define DEVICES_VMPORT_BACKDOOR_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "devices/device.h"
#include "devices/vmport/abi/vmport_abi.h"
#include "devices/vmport/channel_table.h"
#include "devices/vmport/guest_records.h"
#include "devices/vmport/tclo.h"

namespace vmm {

class Backdoor;

// Stands between a guest and its backdoor: it answers an IN of four bytes by Backdoor::Answer(),
// or otherwise, or watches. Called on the vCPU's thread, without the lock.
using BackdoorTap = std::function<void(Backdoor& backdoor, BackdoorRegisters& registers)>;

// What the machine is, for the commands that ask. Constant while it runs.
struct BackdoorConfig {
  uint64_t tsc_hz = 0;            // 0: not known, and the guest is refused an answer
  uint32_t apic_bus_hz = 0;       // 0: not known
  uint64_t memory_mib = 0;        // saturates at 32 bits
  uint32_t hardware_version = 7;  // at least 4
  bool legacy_x2apic = false;     // x2APIC works without interrupt remapping
  std::array<uint8_t, 16> uuid = {};
  std::string machine_id;  // at most GuestInfoStore::kMaxValueSize bytes; more is cut

  // A channel that the guest has not used for this long is closed, by the next command that
  // means it or that opens another. The guest's clock.
  absl::Duration channel_timeout = absl::Seconds(80);

  BackdoorTap tap;  // none but in tests of clients
};

// Fills all of the bytes with what cannot be guessed, or returns false.
using RandomSource = std::function<bool(std::span<uint8_t>)>;

// getrandom(2), which waits only in the first seconds of a host's life.
bool KernelRandom(std::span<uint8_t> bytes);

// What the host knows of the guest's tools.
struct ToolsStatus {
  bool running = false;        // they have answered, and polled in the last 15 s
  std::string program;         // by the name it gave: "toolbox"
  absl::Duration last_poll;    // since now, of the program; zero if not running
  absl::Duration last_answer;  // likewise
  ToolsInfo info;              // what they said of themselves, ever
};

// Any thread may call; each call is whole before the next begins. The clock is not owned.
class Backdoor final : public Device {
 public:
  static constexpr uint64_t kSize = kBackdoorPorts;

  // `clock` is the guest's wall clock. `elapsed` gives the guest's time since some fixed moment
  // and never goes back; all time-outs are by it. `random` gives the cookies. All three are
  // called with the lock held.
  Backdoor(BackdoorConfig config, const Clock& clock, std::function<absl::Duration()> elapsed,
           RandomSource random = KernelRandom);

  // The guest's IN or OUT of `size` bytes (1, 2 or 4) at `offset` from kBackdoorPort, with its
  // registers, which are changed as the instruction would. Of EAX an IN changes the low `size`
  // bytes and an OUT none. At another offset than 0 an IN gives all ones and nothing happens.
  void In(uint64_t offset, size_t size, BackdoorRegisters& registers);
  void Out(uint64_t offset, size_t size, BackdoorRegisters& registers);

  // An IN of four bytes at offset 0 for which no tap is asked.
  void Answer(BackdoorRegisters& registers);

  // The guest begins anew: channels are closed, and its tools are gone. Guestinfo stays, as
  // over a reboot on VMware, and so does the log.
  void Reset();

  // guestinfo.KEY for the guest to read. See GuestInfoStore::Set().
  absl::Status SetGuestInfo(std::string_view key, std::string_view value);
  std::map<std::string, GuestInfoStore::Entry, std::less<>> GuestInfo() const;

  // The guest's last log lines.
  std::vector<std::string> Log() const;

  ToolsStatus Tools() const;

  // Asks the tools something: kTcloHalt, "Set_Option synctime 0". See Tclo::Send(). What
  // became of it shows in TakeResults() under the id that this returns.
  absl::StatusOr<uint64_t> Send(std::string request);
  std::vector<TcloResult> TakeResults();

  // How many MESSAGE commands there were.
  uint64_t message_count() const;

  // The bytes that are kept because of what the guest sent or set, or because of what it was asked
  // and does not answer. Never more than kMaxBytesHeld, whatever it does.
  size_t bytes_held() const;
  static constexpr size_t kMaxBytesHeld =
      kMaxChannels * (2 * MessageChannel::kMaxMessage) +  // one coming in, one going out
      GuestInfoStore::kMaxTotal + GuestLog::kMaxLines * GuestLog::kMaxLineSize + Tclo::kMaxBytesHeld;

  // All of the state, as SealState() has it; not the configuration, which is the machine's.
  std::string Save() const;

  // kExact goes on in the middle of a message. kCheckpoint has the guest begin it again, by
  // kStatusCpt, as VMware does after a restore. On error nothing has changed.
  enum class RestoreMode { kExact, kCheckpoint };
  absl::Status Restore(std::string_view image, RestoreMode mode);

  std::string_view name() const override { return "vmport"; }
  void Read(uint64_t offset, std::span<uint8_t> data) override;
  void Write(uint64_t, std::span<const uint8_t>) override {}

 private:
  // All below are called with mutex_ held.

  // One command as an IN of four bytes.
  void Execute(BackdoorRegisters& registers);
  void GetTime(BackdoorRegisters& registers);
  void GetTimeFull(BackdoorRegisters& registers);

  // Each returns the MESSAGE_STATUS; on failure the registers are as they were.
  uint16_t Message(uint16_t type, BackdoorRegisters& registers);
  uint16_t Open(BackdoorRegisters& registers);

  // Does what the guest's complete message asks, if it has sent one.
  void TakeRequest(uint16_t id, ChannelTable::Channel& channel);
  void Close(uint16_t id);
  void CloseIfIdle(uint16_t id);
  void ExpireRequests();

  const BackdoorConfig config_;
  const Clock& clock_;
  const std::function<absl::Duration()> elapsed_;
  const RandomSource random_;

  mutable std::mutex mutex_;  // guards all below
  ChannelTable channels_;
  Tclo tclo_;
  GuestRecords records_;
  uint64_t message_count_ = 0;
};

}  // namespace vmm

#endif  // DEVICES_VMPORT_BACKDOOR_H_
