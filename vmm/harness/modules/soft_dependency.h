// A module's soft dependencies: modules that should be there, but need not be.
#ifndef VMM_HARNESS_MODULES_SOFT_DEPENDENCY_H_
#define VMM_HARNESS_MODULES_SOFT_DEPENDENCY_H_

#include <string>
#include <string_view>
#include <vector>

namespace vmm {

// Adds the names in `text` to `before` and `after`: "pre: a b post: c", as in modules.softdep and in .modinfo.
void ReadSoftDependencies(std::string_view text, std::vector<std::string>& before, std::vector<std::string>& after);

}  // namespace vmm

#endif  // VMM_HARNESS_MODULES_SOFT_DEPENDENCY_H_
