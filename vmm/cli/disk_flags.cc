#include "vmm/cli/disk_flags.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

// Takes "FILE" from the front of `text`, up to a comma that is not doubled.
std::string TakeFile(std::string_view& text) {
  std::string file;
  while (!text.empty()) {
    if (text.front() == ',') {
      if (text.substr(0, 2) != ",,") break;
      text.remove_prefix(1);
    }
    file += text.front();
    text.remove_prefix(1);
  }
  return file;
}

template <typename T, typename Parse>
absl::StatusOr<std::vector<T>> ReadAll(std::string_view flag, std::span<const std::string> values, Parse parse) {
  std::vector<T> all;
  for (const std::string& value : values) {
    ASSIGN_OR_RETURN(T one, Annotate(parse(value), absl::StrFormat("--%s=%s", flag, value)));
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace

absl::StatusOr<DiskConfig> ParseDisk(std::string_view text) {
  DiskConfig disk;
  disk.path = TakeFile(text);
  if (disk.path.empty()) return absl::InvalidArgumentError("the FILE is missing");
  if (text.empty()) return disk;
  text.remove_prefix(1);
  constexpr std::string_view kOverlayFile = "overlay=";
  if (text == "ro") {
    disk.changes = DiskConfig::Changes::kRefused;
  } else if (text == "overlay") {
    disk.changes = DiskConfig::Changes::kToMemory;
  } else if (text.starts_with(kOverlayFile) && text.size() > kOverlayFile.size()) {
    disk.changes = DiskConfig::Changes::kToOverlay;
    disk.overlay_file = text.substr(kOverlayFile.size());
  } else {
    return absl::InvalidArgumentError(absl::StrFormat(
        "'%s' is none of ro, overlay and overlay=FILE; a comma in the disk's name is written twice", text));
  }
  return disk;
}

absl::StatusOr<PortConfig> ParsePort(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size()) {
    return absl::InvalidArgumentError("write NAME=FILE, NAME=unix:PATH or NAME=fd:N");
  }
  return PortConfig{.name = std::string(text.substr(0, equals)), .where = std::string(text.substr(equals + 1))};
}

absl::StatusOr<std::vector<DiskConfig>> ReadDisks(std::span<const std::string> values) {
  return ReadAll<DiskConfig>("disk", values, ParseDisk);
}

absl::StatusOr<std::vector<PortConfig>> ReadPorts(std::span<const std::string> values) {
  ASSIGN_OR_RETURN(std::vector<PortConfig> ports, ReadAll<PortConfig>("virtio-port", values, ParsePort));
  for (size_t i = 0; i < ports.size(); ++i) {
    const auto same = [&](const PortConfig& other) { return other.name == ports[i].name; };
    if (std::any_of(ports.begin(), ports.begin() + static_cast<std::ptrdiff_t>(i), same)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("--virtio-port=%s=%s: a port has that name already", ports[i].name, ports[i].where));
    }
  }
  return ports;
}

}  // namespace vmm
