// A kernel module's file, and what it says about itself.
#ifndef VMM_HARNESS_MODULES_MODULE_FILE_H_
#define VMM_HARNESS_MODULES_MODULE_FILE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace vmm {

// The name that lsmod shows: "virtio_net" for ".../virtio-net.ko.xz". Empty if `path` is no module's.
std::string ModuleName(std::string_view path);

// The bytes of the module at `path`, unpacked if it ends in .xz, .zst or .gz. At most 256 MiB. Errors name the path.
absl::StatusOr<std::string> ReadModule(const std::string& path);

// From the section .modinfo.
struct ModuleInfo {
  std::vector<std::string> depends;  // names of modules that must be loaded before
  std::vector<std::string> before;   // names that its "softdep=pre:" asks for
  std::vector<std::string> after;    // names that its "softdep=... post:" asks for
  std::string release;               // of the kernel that it is for: the first word of vermagic
};

// `module` is ReadModule()'s. InvalidArgument if it is not a 64-bit ELF file with a .modinfo.
absl::StatusOr<ModuleInfo> ReadModuleInfo(std::string_view module);

}  // namespace vmm

#endif  // VMM_HARNESS_MODULES_MODULE_FILE_H_
