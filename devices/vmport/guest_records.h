// Records of what a guest has told its host by RPC: guestinfo, which tools run in it, and its log.
#ifndef DEVICES_VMPORT_GUEST_RECORDS_H_
#define DEVICES_VMPORT_GUEST_RECORDS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "devices/vmport/guestinfo_store.h"
#include "devices/vmport/vmport_state.h"

namespace vmm {

// The numbers with which a guest names a change of power state, in tools.os.statechange.status. open-vm-tools:
// lib/include/vmware/guestrpc/powerops.h, GuestOsState.
enum class StateChange : uint32_t { kNone = 0, kHalt = 1, kReboot = 2, kPowerOn = 3, kResume = 4, kSuspend = 5 };

// "halt", "reboot", "power-on", "resume" or "suspend"; "" for kNone.
std::string_view StateChangeName(StateChange change);

// The guest's tools' statements about themselves. A value type. Zero: they never stated it.
struct ToolsInfo {
  uint32_t version = 0;      // tools.set.version, tools.set.versiontype
  uint32_t build = 0;        // SetGuestInfo type 4, or an old "build-N" in a log line
  bool statechange = false;  // tools.capability.statechange
  StateChange last_change = StateChange::kNone;
  bool last_change_ok = false;

  bool operator==(const ToolsInfo&) const = default;
};

// The guest's last log lines. A value type: its owner locks.
class GuestLog {
 public:
  static constexpr size_t kMaxLines = 128;
  static constexpr size_t kMaxLineSize = 512;  // bytes; longer lines are cut

  void Add(std::string_view line);

  const std::deque<std::string>& lines() const { return lines_; }
  size_t bytes_held() const;
  uint64_t dropped() const { return dropped_; }  // lines, to make room

  void Save(StateWriter& writer) const;
  static GuestLog Load(StateReader& reader);

 private:
  std::deque<std::string> lines_;
  uint64_t dropped_ = 0;
};

struct GuestRecords {
  GuestInfoStore info;
  ToolsInfo tools;
  GuestLog log;

  void Save(StateWriter& writer) const;
  static GuestRecords Load(StateReader& reader);
};

}  // namespace vmm

#endif  // DEVICES_VMPORT_GUEST_RECORDS_H_
