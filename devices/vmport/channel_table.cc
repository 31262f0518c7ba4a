#include "devices/vmport/channel_table.h"

#include <utility>

namespace vmm {

std::optional<uint16_t> ChannelTable::Open(uint32_t protocol, std::optional<uint64_t> cookie, absl::Duration now) {
  uint16_t id = 0;
  for (const auto& [used, channel] : channels_) {
    if (used != id) break;
    ++id;
  }
  if (id >= kMaxChannels) return std::nullopt;
  channels_.emplace(id, Channel{protocol, cookie, now, MessageChannel()});
  return id;
}

ChannelTable::Channel* ChannelTable::Find(uint16_t id, uint64_t cookie, absl::Duration now) {
  Channel* const channel = Peek(id);
  if (channel == nullptr || (channel->cookie.has_value() && *channel->cookie != cookie)) return nullptr;
  channel->last_used = now;
  return channel;
}

ChannelTable::Channel* ChannelTable::Peek(uint16_t id) {
  const auto it = channels_.find(id);
  return it == channels_.end() ? nullptr : &it->second;
}

void ChannelTable::Checkpoint() {
  for (auto& [id, channel] : channels_) channel.messages.Checkpoint();
}

size_t ChannelTable::bytes_held() const {
  size_t bytes = 0;
  for (const auto& [id, channel] : channels_) bytes += channel.messages.bytes_held();
  return bytes;
}

void ChannelTable::Save(StateWriter& writer, absl::Duration now) const {
  writer.U32(static_cast<uint32_t>(channels_.size()));
  for (const auto& [id, channel] : channels_) {
    writer.U16(id);
    writer.U32(channel.protocol);
    writer.Bool(channel.cookie.has_value());
    writer.U64(channel.cookie.value_or(0));
    writer.Age(channel.last_used, now);
    channel.messages.Save(writer);
  }
}

ChannelTable ChannelTable::Load(StateReader& reader, absl::Duration now) {
  ChannelTable table;
  const uint32_t count = reader.Count(kMaxChannels, "channels");
  for (uint32_t i = 0; i < count && reader.status().ok(); ++i) {
    const uint16_t id = reader.U16();
    reader.Require(id < kMaxChannels, "a channel number beyond the last");
    reader.Require(table.channels_.empty() || id > table.channels_.rbegin()->first, "channels out of order");
    Channel channel;
    channel.protocol = reader.U32();
    reader.Require(channel.protocol == kProtocolRpci || channel.protocol == kProtocolTclo, "an unknown protocol");
    const bool has_cookie = reader.Bool("whether a channel has a cookie");
    const uint64_t cookie = reader.U64();
    reader.Require(has_cookie || cookie == 0, "a cookie where there is none");
    if (has_cookie) channel.cookie = cookie;
    channel.last_used = reader.Age(now);
    channel.messages = MessageChannel::Load(reader);
    table.channels_.emplace(id, std::move(channel));
  }
  return table;
}

}  // namespace vmm
