// The modules of a kernel, as they are installed in /lib/modules/RELEASE, and the order in which to load them.
#ifndef VMM_HARNESS_MODULES_MODULE_TREE_H_
#define VMM_HARNESS_MODULES_MODULE_TREE_H_

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace vmm {

struct ModuleToLoad {
  std::string path;
  bool required = false;  // false: a soft dependency, which may fail to load
};

// Reads depmod's lists once (modules.dep, .softdep, .builtin). A tree without modules.dep, as a kernel's package has it
// before its installation, is searched for module files, and each file says itself what it depends on. Immutable.
class ModuleTree {
 public:
  // `folder` is the one that has modules.dep, or the folder kernel/ with the modules. NotFound if it has neither.
  static absl::StatusOr<ModuleTree> Open(const std::string& folder);

  // The modules to load for `name`, in order: `name` itself, all that it depends on, and its soft dependencies as far
  // as they are there, as `modprobe --show-depends` lists them. Empty if the kernel has it built in. NotFound if there
  // is no such module. '-' and '_' are the same. A soft dependency may also be an alias ("crc32c"), but not a pattern.
  absl::StatusOr<std::vector<ModuleToLoad>> LoadOrder(std::string_view name) const;

  bool IsBuiltIn(std::string_view name) const;

 private:
  struct Module {
    std::string path;
    std::vector<std::string> depends;  // names in the order of loading: all that it needs if listed by depmod
  };
  struct Soft {
    std::vector<std::string> before, after;
  };
  class Order;

  absl::Status ReadLists();
  absl::Status SearchFiles();
  void AddListedModule(std::string_view line);

  std::string folder_;
  bool listed_ = false;  // true: by modules.dep
  std::map<std::string, Module, std::less<>> modules_;
  std::map<std::string, Soft, std::less<>> soft_;
  std::multimap<std::string, std::string, std::less<>> aliases_;
  std::set<std::string, std::less<>> built_in_;
};

}  // namespace vmm

#endif  // VMM_HARNESS_MODULES_MODULE_TREE_H_
