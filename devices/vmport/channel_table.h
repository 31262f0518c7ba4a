// The open message channels of one VM: up to 128, found by number and protected by cookies. A channel exists, and takes
// memory, from OPEN to CLOSE.
#ifndef DEVICES_VMPORT_CHANNEL_TABLE_H_
#define DEVICES_VMPORT_CHANNEL_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "absl/time/time.h"
#include "devices/vmport/message_channel.h"
#include "devices/vmport/vmport_state.h"

namespace vmm {

// A value type: its owner locks. Times are on the guest's clock, since any fixed moment.
class ChannelTable {
 public:
  struct Channel {
    uint32_t protocol = 0;
    std::optional<uint64_t> cookie;  // none: any cookie will do, because the guest asked for none
    absl::Duration last_used;
    MessageChannel messages;
  };

  // Returns the lowest free number, or nothing if 128 are open.
  std::optional<uint16_t> Open(uint32_t protocol, std::optional<uint64_t> cookie, absl::Duration now);

  // Null if `id` is not open or `cookie` is not its cookie. Marks the channel as used. The pointer is valid until the
  // channel is closed.
  Channel* Find(uint16_t id, uint64_t cookie, absl::Duration now);

  // The same for the host, which has no cookie. It does not mark the channel as used.
  Channel* Peek(uint16_t id);

  void Close(uint16_t id) { channels_.erase(id); }
  void CloseAll() { channels_.clear(); }

  // Calls MessageChannel::Checkpoint() on every channel that is in mid-message.
  void Checkpoint();

  const std::map<uint16_t, Channel>& channels() const { return channels_; }
  size_t bytes_held() const;  // in messages

  void Save(StateWriter& writer, absl::Duration now) const;
  static ChannelTable Load(StateReader& reader, absl::Duration now);

 private:
  std::map<uint16_t, Channel> channels_;
};

}  // namespace vmm

#endif  // DEVICES_VMPORT_CHANNEL_TABLE_H_
