// What a run shares with its guest of the host's files and networks, as plain data from the flags.
#ifndef VMM_BACKEND_HOST_SHARE_H_
#define VMM_BACKEND_HOST_SHARE_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace vmm {

// A folder of the host: --share=DIR[:TAG][,ro][,9p].
struct HostFolder {
  std::string path;
  std::string tag = "share";  // 1 to 36 bytes, the name to mount
  bool read_only = false;
  bool nine_p = false;  // virtio-9p by diod; else virtio-fs by virtiofsd
  // The guest sees mounts below the folder as mounts. An overlay in the guest cannot look through those, so for its
  // lower layer all is one file system.
  bool announce_mounts = true;
};

// A network card: --net=user[,port=HOST:GUEST]... or --net=tap:NAME, each with [,mac=ADDRESS].
struct HostNetwork {
  std::string tap;                                   // the name of a tap interface; empty: passt
  std::vector<std::pair<uint16_t, uint16_t>> ports;  // TCP ports of the host, and where they lead in the guest
  std::array<uint8_t, 6> mac = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
};

// The values of the flags. InvalidArgument says what is wrong with `value`.
absl::StatusOr<HostFolder> ParseShare(std::string_view value);
absl::StatusOr<HostNetwork> ParseNet(std::string_view value);

}  // namespace vmm

#endif  // VMM_BACKEND_HOST_SHARE_H_
