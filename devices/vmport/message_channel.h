// The two directions of one message channel: the guest sends a message four bytes at a time,
// and fetches what waits for it the same way. What the messages say is not known here.
//
// Out of turn is a failure and changes nothing: payload without a size or beyond it, fetching
// what is not there. A size begins the direction anew.
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

// A value: its owner locks. The calls that return uint16_t return a MESSAGE_STATUS.
class MessageChannel {
 public:
  static constexpr size_t kMaxMessage = kMaxGuestMessage;  // bytes, either way

  // The guest's next message has `length` bytes. Nothing is allocated for it before it comes.
  uint16_t SendSize(uint32_t length);

  // Its next four bytes, or the one to three that are left.
  uint16_t SendPayload(uint32_t word);

  // The guest's message, once, when the call before this one has completed it.
  std::optional<std::string> TakeRequest();

  // Puts a message up for the guest, in place of one that it has not fetched.
  // REQUIRES: not empty, at most kMaxMessage bytes.
  void Post(std::string message);

  // True from Post() until the guest has fetched the message or given it up.
  bool has_message() const { return !message_.empty(); }
  void DropMessage();

  uint16_t RecvSize(uint32_t* length);

  // `accepted` false: the guest gives the message up. `*word` is written on success only.
  uint16_t RecvPayload(bool accepted, uint32_t* word);

  uint16_t RecvStatus();

  // Forgets how far a message in transit has come, in either direction, and tells the guest
  // to begin it again: kStatusCpt answers the next call, if that is in mid-message.
  void Checkpoint();

  size_t bytes_held() const { return incoming_.capacity() + message_.capacity(); }

  void Save(StateWriter& writer) const;
  static MessageChannel Load(StateReader& reader);

 private:
  // True once, for the first call after Checkpoint() that is in mid-message.
  bool TakeCheckpoint();

  bool sending_ = false;  // fewer than want_ bytes have come
  bool complete_ = false;
  uint32_t want_ = 0;
  std::vector<uint8_t> incoming_;

  bool receiving_ = false;  // RecvSize() has announced message_
  uint32_t offset_ = 0;     // what of message_ the guest has
  std::string message_;     // empty: none

  bool checkpointed_ = false;
};

}  // namespace vmm

#endif  // DEVICES_VMPORT_MESSAGE_CHANNEL_H_
