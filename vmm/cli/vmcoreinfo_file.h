// --vmcoreinfo=FILE: VMCOREINFO that the user has from elsewhere.
#ifndef VMM_CLI_VMCOREINFO_FILE_H_
#define VMM_CLI_VMCOREINFO_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "dump/snapshot/vmcoreinfo.h"

namespace vmm {

// The note or the bare text that is in the file at `path`. Errors name `path`. Whether it fits the guest is seen
// only when that dies.
absl::StatusOr<VmcoreInfo> ReadVmcoreInfoFile(const std::string& path);

}  // namespace vmm

#endif  // VMM_CLI_VMCOREINFO_FILE_H_
