// Reads the values of --disk and --virtio-port.
#ifndef VMM_CLI_DISK_FLAGS_H_
#define VMM_CLI_DISK_FLAGS_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "vmm/config/disk_config.h"

namespace vmm {

// "FILE[,ro|,overlay[=FILE]]". A comma in the first FILE is written twice. InvalidArgument says what is wrong.
absl::StatusOr<DiskConfig> ParseDisk(std::string_view text);

// "NAME=FILE", "NAME=unix:PATH" or "NAME=fd:N".
absl::StatusOr<PortConfig> ParsePort(std::string_view text);

// All values of each flag. An error begins with the flag and its value. Two ports may not have one name. Two disks that
// are one file are found when the files are locked.
absl::StatusOr<std::vector<DiskConfig>> ReadDisks(std::span<const std::string> values);
absl::StatusOr<std::vector<PortConfig>> ReadPorts(std::span<const std::string> values);

}  // namespace vmm

#endif  // VMM_CLI_DISK_FLAGS_H_
