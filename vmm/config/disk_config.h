// A disk, and a named port, as the user wants them: plain data.
#ifndef VMM_CONFIG_DISK_CONFIG_H_
#define VMM_CONFIG_DISK_CONFIG_H_

#include <string>

namespace vmm {

struct DiskConfig {
  enum class Changes {
    kToFile,     // the disk is written
    kRefused,    // the guest's disk is read-only
    kToMemory,   // an overlay that ends with the run
    kToOverlay,  // an overlay in overlay_file, which the next run finds
  };
  std::string path;
  Changes changes = Changes::kToFile;
  std::string overlay_file;  // for kToOverlay

  bool operator==(const DiskConfig&) const = default;
};

struct PortConfig {
  std::string name;   // /dev/virtio-ports/NAME in the guest
  std::string where;  // FILE, unix:PATH or fd:N

  bool operator==(const PortConfig&) const = default;
};

}  // namespace vmm

#endif  // VMM_CONFIG_DISK_CONFIG_H_
