#include "vmm/harness/modules/soft_dependency.h"

#include "absl/strings/str_split.h"

namespace vmm {

void ReadSoftDependencies(std::string_view text, std::vector<std::string>& before, std::vector<std::string>& after) {
  std::vector<std::string>* side = nullptr;
  for (std::string& word :
       std::vector<std::string>(absl::StrSplit(std::string(text), absl::ByAnyChar(" \t\n"), absl::SkipEmpty()))) {
    if (word == "pre:") {
      side = &before;
    } else if (word == "post:") {
      side = &after;
    } else if (side != nullptr) {
      side->push_back(std::move(word));
    }
  }
}

}  // namespace vmm
