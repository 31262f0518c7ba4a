// VMware's backdoor at ports 0x5658 to 0x565b: the register commands, and one command that carries the message channels
// between guest and host. docs/abi/vmport.md describes its answers.
//
// A caller that has the registers calls In() and Out(). As a Device on the port bus it keeps the four ports from every
// other device; there it gets accesses without registers (a string instruction) and acts as open bus.
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

// Stands between a guest and its backdoor. It can answer an IN of four bytes with Backdoor::Answer(), answer it in
// another way, or only watch. It is called on the vCPU's thread, without the lock.
using BackdoorTap = std::function<void(Backdoor& backdoor, BackdoorRegisters& registers)>;

// Describes the machine, for the commands that ask about it. Constant while the machine runs.
struct BackdoorConfig {
  uint64_t tsc_hz = 0;            // 0: unknown, and the guest's question is refused
  uint32_t apic_bus_hz = 0;       // 0: unknown
  uint64_t memory_mib = 0;        // saturates at 32 bits
  uint32_t hardware_version = 7;  // at least 4
  bool legacy_x2apic = false;     // x2APIC works without interrupt remapping
  std::array<uint8_t, 16> uuid = {};
  std::string machine_id;  // at most GuestInfoStore::kMaxValueSize bytes; longer is cut

  // A channel that the guest has not used for this long, by the guest's clock, is closed by the next command that
  // addresses it or opens another.
  absl::Duration channel_timeout = absl::Seconds(80);

  BackdoorTap tap;  // none except in tests of clients
};

// Fills all the bytes with unpredictable values, or returns false.
using RandomSource = std::function<bool(std::span<uint8_t>)>;

// Calls getrandom(2), which waits only in the first seconds after a host boots.
bool KernelRandom(std::span<uint8_t> bytes);

// The state of the guest's tools, as the host knows it.
struct ToolsStatus {
  bool running = false;        // they have answered, and polled in the last 15 s
  std::string program;         // the name that it gave: "toolbox"
  absl::Duration last_poll;    // age of the program's last poll; zero if not running
  absl::Duration last_answer;  // age of its last answer; zero if not running
  ToolsInfo info;              // everything that they said about themselves
};

// Any thread may call; each call completes before the next begins. The clock is not owned.
class Backdoor final : public Device {
 public:
  static constexpr uint64_t kSize = kBackdoorPorts;

  // `clock` is the guest's wall clock. `elapsed` returns the guest's time since some fixed moment and never goes back;
  // all timeouts use it. `random` makes the cookies. All three are called with the lock held.
  Backdoor(BackdoorConfig config, const Clock& clock, std::function<absl::Duration()> elapsed,
           RandomSource random = KernelRandom);

  // The guest's IN or OUT of `size` bytes (1, 2 or 4) at `offset` from kBackdoorPort. Changes `registers` as the
  // instruction would: an IN changes the low `size` bytes of EAX, and an OUT changes none of EAX. At any offset other
  // than 0, an IN returns all ones and does nothing.
  void In(uint64_t offset, size_t size, BackdoorRegisters& registers);
  void Out(uint64_t offset, size_t size, BackdoorRegisters& registers);

  // An IN of four bytes at offset 0 that bypasses the tap.
  void Answer(BackdoorRegisters& registers);

  // The guest starts again: its channels are closed and its tools are gone. Guestinfo stays, as it does over a reboot
  // on VMware, and so does the log.
  void Reset();

  // Sets guestinfo.KEY for the guest to read. See GuestInfoStore::Set().
  absl::Status SetGuestInfo(std::string_view key, std::string_view value);
  std::map<std::string, GuestInfoStore::Entry, std::less<>> GuestInfo() const;

  // The guest's last log lines.
  std::vector<std::string> Log() const;

  ToolsStatus Tools() const;

  // Sends the tools a request: kTcloHalt, "Set_Option synctime 0". See Tclo::Send(). Its result appears in
  // TakeResults() under the id that this returns.
  absl::StatusOr<uint64_t> Send(std::string request);
  std::vector<TcloResult> TakeResults();

  // The number of MESSAGE commands so far.
  uint64_t message_count() const;

  // The bytes kept because of what the guest sent or set, or because of requests that it does not answer. Never more
  // than kMaxBytesHeld, whatever the guest does.
  size_t bytes_held() const;
  static constexpr size_t kMaxBytesHeld =
      kMaxChannels * (2 * MessageChannel::kMaxMessage) +  // one coming in, one going out
      GuestInfoStore::kMaxTotal + GuestLog::kMaxLines * GuestLog::kMaxLineSize + Tclo::kMaxBytesHeld;

  // All the state, in SealState()'s form. The configuration is not included, because it belongs to the machine.
  std::string Save() const;

  // kExact continues in the middle of a message. kCheckpoint makes the guest begin the message again, with kStatusCpt,
  // as VMware does after a restore. On error nothing has changed.
  enum class RestoreMode { kExact, kCheckpoint };
  absl::Status Restore(std::string_view image, RestoreMode mode);

  std::string_view name() const override { return "vmport"; }
  void Read(uint64_t offset, std::span<uint8_t> data) override;
  void Write(uint64_t, std::span<const uint8_t>) override {}

 private:
  // Call these with mutex_ held.

  // Executes one command, as an IN of four bytes.
  void Execute(BackdoorRegisters& registers);
  void GetTime(BackdoorRegisters& registers);
  void GetTimeFull(BackdoorRegisters& registers);

  // Each returns the MESSAGE_STATUS. On failure the registers are unchanged.
  uint16_t Message(uint16_t type, BackdoorRegisters& registers);
  uint16_t Open(BackdoorRegisters& registers);

  // Handles the guest's complete message, if it has sent one.
  void TakeRequest(uint16_t id, ChannelTable::Channel& channel);
  void Close(uint16_t id);
  void CloseIfIdle(uint16_t id);
  void ExpireRequests();

  const BackdoorConfig config_;
  const Clock& clock_;
  const std::function<absl::Duration()> elapsed_;
  const RandomSource random_;

  mutable std::mutex mutex_;  // guards all members below
  ChannelTable channels_;
  Tclo tclo_;
  GuestRecords records_;
  uint64_t message_count_ = 0;
};

}  // namespace vmm

#endif  // DEVICES_VMPORT_BACKDOOR_H_
