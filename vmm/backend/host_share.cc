#include "vmm/backend/host_share.h"

#include <algorithm>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr size_t kMaxTagBytes = 36;        // virtio-fs has room for no more
constexpr size_t kMaxInterfaceBytes = 15;  // IFNAMSIZ, without its zero

std::vector<std::string> Split(std::string_view text, char at) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == at) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// True if `text` begins or ends with `part`, which is then removed.
bool TakeFront(std::string_view& text, std::string_view part) {
  if (!text.starts_with(part)) return false;
  text.remove_prefix(part.size());
  return true;
}
bool TakeBack(std::string_view& text, std::string_view part) {
  if (!text.ends_with(part)) return false;
  text.remove_suffix(part.size());
  return true;
}

// "HOST:GUEST", or "PORT" for both.
std::optional<std::pair<uint16_t, uint16_t>> ParsePorts(std::string_view text) {
  const std::vector<std::string> parts = Split(text, ':');
  uint32_t host = 0, guest = 0;
  if (parts.size() > 2 || !absl::SimpleAtoi(parts.front(), &host) || !absl::SimpleAtoi(parts.back(), &guest)) {
    return std::nullopt;
  }
  if (host < 1 || host > 65535 || guest < 1 || guest > 65535) return std::nullopt;
  return std::pair(static_cast<uint16_t>(host), static_cast<uint16_t>(guest));
}

std::optional<std::array<uint8_t, 6>> ParseMac(std::string_view text) {
  std::array<uint8_t, 6> mac;
  const std::vector<std::string> parts = Split(text, ':');
  if (parts.size() != mac.size()) return std::nullopt;
  for (size_t i = 0; i < mac.size(); ++i) {
    uint32_t byte = 0;
    if (parts[i].size() != 2 || !absl::SimpleHexAtoi(parts[i], &byte)) return std::nullopt;
    mac[i] = static_cast<uint8_t>(byte);
  }
  const bool is_group = (mac[0] & 1) != 0;
  if (is_group || std::ranges::count(mac, 0) == 6) return std::nullopt;
  return mac;
}

}  // namespace

absl::StatusOr<HostFolder> ParseShare(std::string_view value) {
  HostFolder folder;
  // The options stand at the end, so a path may hold commas.
  while (true) {
    if (TakeBack(value, ",ro")) {
      folder.read_only = true;
    } else if (TakeBack(value, ",9p")) {
      folder.nine_p = true;
    } else {
      break;
    }
  }
  const size_t colon = value.rfind(':');
  if (colon != std::string_view::npos && value.find('/', colon) == std::string_view::npos) {
    folder.tag = value.substr(colon + 1);
    value = value.substr(0, colon);
  }
  folder.path = value;
  if (folder.path.empty()) return absl::InvalidArgumentError("no folder; DIR[:TAG][,ro][,9p] is expected");
  if (folder.tag.empty() || folder.tag.size() > kMaxTagBytes) {
    return absl::InvalidArgumentError(
        absl::StrFormat("a tag of %d bytes; 1 to %d are possible", folder.tag.size(), kMaxTagBytes));
  }
  return folder;
}

absl::StatusOr<HostNetwork> ParseNet(std::string_view value) {
  HostNetwork network;
  const std::vector<std::string> parts = Split(value, ',');
  std::string_view kind = parts[0];
  if (TakeFront(kind, "tap:")) {
    network.tap = kind;
    if (kind.empty() || kind.size() > kMaxInterfaceBytes || kind.find('/') != std::string_view::npos) {
      return absl::InvalidArgumentError(absl::StrFormat("'%s' is no name of an interface", kind));
    }
  } else if (kind != "user") {
    return absl::InvalidArgumentError(absl::StrFormat("'%s'; user or tap:NAME is expected", kind));
  }
  for (size_t i = 1; i < parts.size(); ++i) {
    std::string_view option = parts[i];
    if (TakeFront(option, "mac=")) {
      const std::optional<std::array<uint8_t, 6>> mac = ParseMac(option);
      if (!mac.has_value()) {
        return absl::InvalidArgumentError(absl::StrFormat(
            "mac=%s; six bytes like 52:54:00:12:34:56 are expected, of one card, not of a group", option));
      }
      network.mac = *mac;
    } else if (TakeFront(option, "port=") && network.tap.empty()) {
      const std::optional<std::pair<uint16_t, uint16_t>> ports = ParsePorts(option);
      if (!ports.has_value()) {
        return absl::InvalidArgumentError(absl::StrFormat("port=%s; HOST:GUEST is expected, each 1 to 65535", option));
      }
      network.ports.push_back(*ports);
    } else {
      return absl::InvalidArgumentError(
          absl::StrFormat("'%s'; mac=ADDRESS or, with user, port=HOST:GUEST is expected", parts[i]));
    }
  }
  return network;
}

}  // namespace vmm
