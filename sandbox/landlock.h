// Landlock: which files this process can still reach (landlock(7)).
#ifndef SANDBOX_LANDLOCK_H_
#define SANDBOX_LANDLOCK_H_

#include <span>
#include <string>

#include "absl/status/status.h"

namespace vmm {

// The version of Landlock's interface that this kernel offers: 1 or more. 0: none.
int LandlockVersion();

// From now on the calling thread, and threads that it starts, may open files only below `writable` (to read, write,
// make, rename and remove regular files) and below `readable` (to read), and remove files below `removable`. All else
// fails with EACCES. Files that are open stay usable. TCP is closed, where the kernel's version is 4 or more. Needs
// no_new_privs. A path that does not exist is passed over. Unimplemented if the kernel has no Landlock.
absl::Status ConfineFiles(std::span<const std::string> writable, std::span<const std::string> readable,
                          std::span<const std::string> removable);

}  // namespace vmm

#endif  // SANDBOX_LANDLOCK_H_
