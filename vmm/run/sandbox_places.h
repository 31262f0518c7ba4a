// What of the file system a run still needs after its sandbox has closed.
#ifndef VMM_RUN_SANDBOX_PLACES_H_
#define VMM_RUN_SANDBOX_PLACES_H_

#include <string>
#include <vector>

#include "vmm/config/vm_config.h"
#include "vmm/run/on_panic.h"

namespace vmm {

// Where a dump and a record are made after the guest's death. A directory that is open already is named by its
// descriptor, so that what happens to its name does not matter.
std::vector<std::string> WritablePlaces(const VmConfig& config, const DumpDirs& dirs);

// The folders of the sockets that clients of the run connect to; the sockets are removed at its end.
std::vector<std::string> SocketFolders(const VmConfig& config);

}  // namespace vmm

#endif  // VMM_RUN_SANDBOX_PLACES_H_
