// A folder of the host as a device of the machine: finds and starts the program that serves it.
#ifndef VMM_BACKEND_FOLDER_DEVICE_H_
#define VMM_BACKEND_FOLDER_DEVICE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/guest_memory.h"
#include "devices/virtio/virtio_device.h"
#include "vmm/backend/back_end_process.h"
#include "vmm/backend/host_share.h"

namespace vmm {

// Called once, on another thread, when a program ends that still has work to do. The words name it.
using OnBackEndEnd = std::function<void(const absl::Status& why)>;

// A device and the process behind it. The device is destroyed first.
struct BackedDevice {
  std::unique_ptr<BackEndProcess> process;  // null: the host's kernel does the work
  std::unique_ptr<VirtioDevice> device;
};

// Makes the device for `folder` with its program running. `memory` must outlive the device. NotFound if there is no
// such folder, or no such program: then it says which package to install. The calling thread must live as long as the
// device.
absl::StatusOr<BackedDevice> ShareFolder(const HostFolder& folder, GuestMemory& memory, OnBackEndEnd on_end);

// The arguments for virtiofsd, which differ between QEMU's old one in C and the one in Rust that followed it. `help`:
// what it prints with --help. `fd`: a listening socket. The path of `folder` has no symbolic link in it.
std::vector<std::string> VirtiofsdArguments(const std::string& program, const std::string& help,
                                            const HostFolder& folder, int fd);

}  // namespace vmm

#endif  // VMM_BACKEND_FOLDER_DEVICE_H_
