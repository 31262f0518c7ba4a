#include "devices/vmport/testing/backdoor_client.h"

#include <algorithm>

namespace vmm {

MessageReply SendMessage(Backdoor& backdoor, uint16_t type, const GuestChannel& channel, uint32_t ebx) {
  BackdoorRegisters registers = {.eax = kBackdoorMagic,
                                 .ebx = ebx,
                                 .ecx = uint32_t{type} << 16 | kCmdMessage,
                                 .edx = uint32_t{channel.id} << 16 | kBackdoorPort,
                                 .esi = channel.cookie_high,
                                 .edi = channel.cookie_low,
                                 .ebp = 0};
  backdoor.In(0, 4, registers);
  return {static_cast<uint16_t>(registers.ecx >> 16), registers};
}

std::optional<GuestChannel> OpenChannel(Backdoor& backdoor, uint32_t protocol) {
  const MessageReply reply = SendMessage(backdoor, kMessageOpen, {}, protocol | kMessageFlagCookie);
  if (!reply.ok()) return std::nullopt;
  return GuestChannel{static_cast<uint16_t>(reply.registers.edx >> 16), reply.registers.esi, reply.registers.edi};
}

uint16_t SendText(Backdoor& backdoor, const GuestChannel& channel, std::string_view text) {
  uint16_t status = SendMessage(backdoor, kMessageSendSize, channel, static_cast<uint32_t>(text.size())).status;
  for (size_t at = 0; at < text.size() && (status & kStatusSuccess) != 0; at += 4) {
    uint32_t word = 0xeeeeeeee;  // bytes past the end are not zero
    for (size_t i = 0; i < std::min<size_t>(4, text.size() - at); ++i) {
      word &= ~(0xffu << (8 * i));
      word |= uint32_t{static_cast<uint8_t>(text[at + i])} << (8 * i);
    }
    status = SendMessage(backdoor, kMessageSendPayload, channel, word).status;
  }
  return status;
}

std::optional<std::string> ReceiveText(Backdoor& backdoor, const GuestChannel& channel) {
  const MessageReply size = SendMessage(backdoor, kMessageRecvSize, channel);
  if (!size.ok() || (size.status & kStatusDoRecv) == 0 || size.registers.edx >> 16 != kMessageSendSize) {
    return std::nullopt;
  }
  std::string text;
  while (text.size() < size.registers.ebx) {
    const MessageReply word = SendMessage(backdoor, kMessageRecvPayload, channel, kStatusSuccess);
    if (!word.ok() || word.registers.edx >> 16 != kMessageSendPayload) return std::nullopt;
    for (size_t i = 0; i < 4 && text.size() < size.registers.ebx; ++i) {
      text.push_back(static_cast<char>(word.registers.ebx >> (8 * i)));
    }
  }
  if (!SendMessage(backdoor, kMessageRecvStatus, channel, kStatusSuccess).ok()) return std::nullopt;
  return text;
}

std::string CallRpci(Backdoor& backdoor, std::string_view request) {
  const auto channel = OpenChannel(backdoor);
  if (!channel) return "";
  std::string answer;
  if ((SendText(backdoor, *channel, request) & kStatusSuccess) != 0) {
    answer = ReceiveText(backdoor, *channel).value_or("");
  }
  SendMessage(backdoor, kMessageClose, *channel);
  return answer;
}

std::string Poll(Backdoor& backdoor, const GuestChannel& channel, std::string_view answer) {
  if ((SendText(backdoor, channel, answer) & kStatusSuccess) == 0) return "";
  return ReceiveText(backdoor, channel).value_or("");
}

GuestChannel StartTools(Backdoor& backdoor, std::string_view program) {
  const GuestChannel channel = OpenChannel(backdoor, kProtocolTclo).value_or(GuestChannel());
  Poll(backdoor, channel);  // fetches "reset"
  Poll(backdoor, channel, "OK ATR " + std::string(program));
  CallRpci(backdoor, "tools.set.version 12345");
  Poll(backdoor, channel, "OK ");  // answers Capabilities_Register
  return channel;
}

}  // namespace vmm
