// The two directions of one message channel. The guest sends a message four bytes at a time, and fetches a waiting
// message the same way. This class does not interpret the messages.
//
// A call out of turn fails and changes nothing: payload without a size or beyond it, or fetching when no message is
// there. A size restarts its direction.
#ifndef DEVICES_VMPORT_MESSAGE_CHANNEL_H_
#define DEVICES_VMPORT_MESSAGE_CHANNEL_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "devices/vmport/abi/vmport_abi.h"
#include "devices/vmport/vmport_state.h"

namespace vmm {

// A value type: its owner locks. The calls that return uint16_t return a MESSAGE_STATUS.
class MessageChannel {
 public:
  static constexpr size_t kMaxMessage = kMaxGuestMessage;  // bytes, in either direction

  // The guest's next message has `length` bytes. Memory for it is allocated only as it arrives.
  uint16_t SendSize(uint32_t length);

  // Takes the message's next four bytes, or the one to three that are left.
  uint16_t SendPayload(uint32_t word);

  // Returns the guest's message once, if the previous call completed it.
  std::optional<std::string> TakeRequest();

  // Offers a message to the guest, and replaces one that it has not fetched. REQUIRES: not empty, at most kMaxMessage
  // bytes.
  void Post(std::string message);

  // True from Post() until the guest has fetched the message or given it up.
  bool has_message() const { return !message_.empty(); }
  void DropMessage();

  uint16_t RecvSize(uint32_t* length);

  // `accepted` false: the guest gives the message up. `*word` is written only on success.
  uint16_t RecvPayload(bool accepted, uint32_t* word);

  uint16_t RecvStatus();

  // Forgets the progress of a message in transit, in either direction. Tells the guest to begin it again: kStatusCpt
  // answers the next call if that is in mid-message.
  void Checkpoint();

  size_t bytes_held() const { return incoming_.capacity() + message_.capacity(); }

  void Save(StateWriter& writer) const;
  static MessageChannel Load(StateReader& reader);

 private:
  // True once, for the first call after Checkpoint() that is in mid-message.
  bool TakeCheckpoint();

  bool sending_ = false;  // fewer than want_ bytes have arrived
  bool complete_ = false;
  uint32_t want_ = 0;
  std::vector<uint8_t> incoming_;

  bool receiving_ = false;  // RecvSize() has announced message_
  uint32_t offset_ = 0;     // bytes of message_ that the guest has
  std::string message_;     // empty: none

  bool checkpointed_ = false;
};

}  // namespace vmm

#endif  // DEVICES_VMPORT_MESSAGE_CHANNEL_H_
