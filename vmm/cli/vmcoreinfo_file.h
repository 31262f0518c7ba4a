// --vmcoreinfo=FILE: VMCOREINFO that the user got elsewhere.
#ifndef VMM_CLI_VMCOREINFO_FILE_H_
#define VMM_CLI_VMCOREINFO_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "dump/snapshot/vmcoreinfo.h"

namespace vmm {

// Reads the note or the bare text in the file at `path`. Errors name `path`. Whether it fits the guest shows only when
// the guest dies.
absl::StatusOr<VmcoreInfo> ReadVmcoreInfoFile(const std::string& path);

}  // namespace vmm

#endif  // VMM_CLI_VMCOREINFO_FILE_H_
