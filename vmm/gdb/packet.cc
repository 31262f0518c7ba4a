#include "vmm/gdb/packet.h"

#include <optional>

#include "absl/strings/str_format.h"
#include "vmm/gdb/hex.h"

namespace vmm {
namespace {

constexpr char kEscape = '}';
constexpr char kEscapeBit = 0x20;
constexpr char kInterruptByte = 0x03;

}  // namespace

std::vector<GdbItem> GdbPacketReader::Add(std::string_view bytes) {
  std::vector<GdbItem> items;
  for (const char byte : bytes) {
    switch (place_) {
      case Place::kOutside: AddOutside(byte, items); break;
      case Place::kText:
      case Place::kEscaped: AddText(byte); break;
      case Place::kFirstDigit:
        first_digit_ = byte;
        place_ = Place::kSecondDigit;
        break;
      case Place::kSecondDigit: End(byte, items); break;
    }
  }
  return items;
}

void GdbPacketReader::AddOutside(char byte, std::vector<GdbItem>& items) {
  if (byte == kInterruptByte) items.push_back({GdbItem::Kind::kInterrupt, ""});
  if (byte == '-') items.push_back({GdbItem::Kind::kNack, ""});
  if (byte != '$') return;
  place_ = Place::kText;
  text_.clear();
  too_long_ = false;
  sum_ = 0;
}

// A $ cannot be text: it begins a new packet, because the end of the last one was lost.
void GdbPacketReader::AddText(char byte) {
  if (byte == '#') {
    place_ = Place::kFirstDigit;
    return;
  }
  if (byte == '$') {
    text_.clear();
    too_long_ = false;
    sum_ = 0;
    place_ = Place::kText;
    return;
  }
  sum_ = static_cast<uint8_t>(sum_ + static_cast<uint8_t>(byte));
  if (place_ == Place::kText && byte == kEscape) {
    place_ = Place::kEscaped;
    return;
  }
  if (text_.size() >= kMaxPacket) {
    too_long_ = true;
  } else {
    text_ += place_ == Place::kEscaped ? static_cast<char>(byte ^ kEscapeBit) : byte;
  }
  place_ = Place::kText;
}

void GdbPacketReader::End(char second, std::vector<GdbItem>& items) {
  place_ = Place::kOutside;
  const std::optional<uint64_t> sum = ParseHex(std::string{first_digit_, second});
  const bool good = sum == sum_ && !too_long_;
  items.push_back({good ? GdbItem::Kind::kPacket : GdbItem::Kind::kBroken, good ? text_ : ""});
}

std::string FrameGdbPacket(std::string_view text) {
  std::string packet = "$";
  uint8_t sum = 0;
  const auto add = [&](char byte) {
    packet += byte;
    sum = static_cast<uint8_t>(sum + static_cast<uint8_t>(byte));
  };
  for (const char byte : text) {
    if (byte != '$' && byte != '#' && byte != kEscape && byte != '*') {
      add(byte);
      continue;
    }
    add(kEscape);
    add(static_cast<char>(byte ^ kEscapeBit));
  }
  return packet + absl::StrFormat("#%02x", sum);
}

}  // namespace vmm
