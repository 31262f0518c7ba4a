// A network of the host as a network card of the machine.
#ifndef VMM_BACKEND_NETWORK_DEVICE_H_
#define VMM_BACKEND_NETWORK_DEVICE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "vmm/backend/folder_device.h"
#include "vmm/backend/host_share.h"

namespace vmm {

// Makes the card, with passt running or the tap interface opened. The calling thread must live as long as the card.
absl::StatusOr<BackedDevice> ConnectNetwork(const HostNetwork& network, OnBackEndEnd on_end);

// The arguments for passt. `fd`: a connected socket.
std::vector<std::string> PasstArguments(const std::string& program, const HostNetwork& network, int fd);

}  // namespace vmm

#endif  // VMM_BACKEND_NETWORK_DEVICE_H_
