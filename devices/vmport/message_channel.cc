#include "devices/vmport/message_channel.h"

#include <algorithm>
#include <utility>

namespace vmm {

uint16_t MessageChannel::SendSize(uint32_t length) {
  checkpointed_ = false;
  incoming_ = std::vector<uint8_t>();  // frees its memory too
  sending_ = false;
  complete_ = false;
  if (length > kMaxMessage) return kStatusFail;
  want_ = length;
  sending_ = length > 0;
  complete_ = length == 0;
  return kStatusSuccess;
}

uint16_t MessageChannel::SendPayload(uint32_t word) {
  if (TakeCheckpoint()) return kStatusCpt;
  if (!sending_) return kStatusFail;
  for (size_t i = 0; i < 4 && incoming_.size() < want_; ++i) {
    incoming_.push_back(static_cast<uint8_t>(word >> (8 * i)));
  }
  if (incoming_.size() == want_) {
    sending_ = false;
    complete_ = true;
  }
  return kStatusSuccess;
}

std::optional<std::string> MessageChannel::TakeRequest() {
  if (!complete_) return std::nullopt;
  complete_ = false;
  std::string request(incoming_.begin(), incoming_.end());
  incoming_ = std::vector<uint8_t>();
  return request;
}

void MessageChannel::Post(std::string message) {
  DropMessage();
  message_ = std::move(message);
}

void MessageChannel::DropMessage() {
  message_.clear();
  message_.shrink_to_fit();
  receiving_ = false;
  offset_ = 0;
}

uint16_t MessageChannel::RecvSize(uint32_t* length) {
  checkpointed_ = false;
  if (!has_message()) return kStatusSuccess;
  receiving_ = true;
  offset_ = 0;
  *length = static_cast<uint32_t>(message_.size());
  return kStatusSuccess | kStatusDoRecv;
}

uint16_t MessageChannel::RecvPayload(bool accepted, uint32_t* word) {
  if (TakeCheckpoint()) return kStatusCpt;
  if (!receiving_) return kStatusFail;
  if (!accepted) {
    DropMessage();
    return kStatusFail;
  }
  if (offset_ >= message_.size()) return kStatusFail;
  const size_t size = std::min<size_t>(4, message_.size() - offset_);
  *word = 0;
  for (size_t i = 0; i < size; ++i) *word |= uint32_t{static_cast<uint8_t>(message_[offset_ + i])} << (8 * i);
  offset_ += static_cast<uint32_t>(size);
  return kStatusSuccess;
}

uint16_t MessageChannel::RecvStatus() {
  if (TakeCheckpoint()) return kStatusCpt;
  if (!receiving_) return kStatusFail;
  DropMessage();
  return kStatusSuccess;
}

void MessageChannel::Checkpoint() {
  checkpointed_ = sending_ || receiving_;
  sending_ = false;
  incoming_ = std::vector<uint8_t>();
  receiving_ = false;
  offset_ = 0;
}

bool MessageChannel::TakeCheckpoint() { return std::exchange(checkpointed_, false); }

void MessageChannel::Save(StateWriter& writer) const {
  writer.Bool(sending_);
  writer.U32(sending_ ? want_ : 0);
  writer.Bytes({reinterpret_cast<const char*>(incoming_.data()), incoming_.size()});
  writer.Bool(receiving_);
  writer.U32(offset_);
  writer.Bytes(message_);
  writer.Bool(checkpointed_);
}

MessageChannel MessageChannel::Load(StateReader& reader) {
  MessageChannel channel;
  channel.sending_ = reader.Bool("whether a channel is sending");
  channel.want_ = reader.Count(kMaxMessage, "the length of a guest's message");
  const std::string incoming = reader.Bytes(kMaxMessage, "a guest's message");
  channel.incoming_.assign(incoming.begin(), incoming.end());
  reader.Require(channel.sending_ ? incoming.size() < channel.want_ : incoming.empty() && channel.want_ == 0,
                 "a guest's message that is longer than its length");
  channel.receiving_ = reader.Bool("whether a channel is receiving");
  channel.offset_ = reader.U32();
  channel.message_ = reader.Bytes(kMaxMessage, "a message for the guest");
  reader.Require(channel.offset_ <= channel.message_.size(), "a message read beyond its end");
  reader.Require(channel.receiving_ ? channel.has_message() : channel.offset_ == 0, "a message read that is not there");
  channel.checkpointed_ = reader.Bool("whether a channel was checkpointed");
  reader.Require(!channel.checkpointed_ || (!channel.sending_ && !channel.receiving_),
                 "a channel checkpointed and in mid-message");
  return channel;
}

}  // namespace vmm
