// A tree of the host's that is the guest's root: --rootfs=DIR[,overlay|,ro|,rw].
#ifndef VMM_HARNESS_ROOT_TREE_H_
#define VMM_HARNESS_ROOT_TREE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace vmm {

// The name by which the guest mounts its root.
inline constexpr std::string_view kRootTag = "vmm-root";

struct RootTree {
  enum class Changes {
    kToMemory,   // an overlay in the guest's memory, which ends with the guest
    kRefused,    // the root is read-only
    kToTheHost,  // the guest writes into the tree itself
  };
  std::string path;  // absolute
  Changes changes = Changes::kToMemory;

  // True if it is the host's own root, so that a path means the same file here and in the guest.
  bool is_hosts_own() const { return path == "/"; }
};

// The value of --rootfs. Options stand at the end, so a path may hold commas. InvalidArgument says what is wrong.
absl::StatusOr<RootTree> ParseRootTree(std::string_view value);

// The modules that a kernel may need before it can mount such a root, in the order to load them.
std::vector<std::string> ModulesForRoot(const RootTree& root);

}  // namespace vmm

#endif  // VMM_HARNESS_ROOT_TREE_H_
