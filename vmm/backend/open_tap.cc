#include "vmm/backend/open_tap.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <cerrno>

#include "base/status.h"

namespace vmm {

absl::StatusOr<UniqueFd> OpenTap(const std::string& name) {
  UniqueFd tap(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!tap.valid()) return ErrnoStatus(errno, "tap interface " + name + ": /dev/net/tun");
  ifreq request = {};
  if (name.empty() || name.size() >= sizeof request.ifr_name) {
    return absl::InvalidArgumentError("tap interface: '" + name + "' is no name of an interface");
  }
  name.copy(request.ifr_name, name.size());
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (ioctl(tap.get(), TUNSETIFF, &request) != 0) {
    return ErrnoStatus(errno,
                       "tap interface " + name + " (make it with: ip tuntap add " + name + " mode tap user $USER)");
  }
  return tap;
}

}  // namespace vmm
