#include "vmm/harness/root_tree.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "vmm/harness/guest_files.h"

namespace vmm {

absl::StatusOr<RootTree> ParseRootTree(std::string_view value) {
  using Changes = RootTree::Changes;
  constexpr std::pair<std::string_view, Changes> kOptions[] = {
      {",overlay", Changes::kToMemory}, {",ro", Changes::kRefused}, {",rw", Changes::kToTheHost}};
  RootTree root;
  int options = 0;
  for (const auto& [text, changes] : kOptions) {
    if (!value.ends_with(text)) continue;
    value.remove_suffix(text.size());
    root.changes = changes;
    ++options;
    break;
  }
  for (const auto& [text, changes] : kOptions) options += value.ends_with(text) ? 1 : 0;
  if (options > 1) return absl::InvalidArgumentError("only one of overlay, ro and rw is possible");
  if (value.empty()) return absl::InvalidArgumentError("no folder; DIR[,overlay|,ro|,rw] is expected");
  root.path = AbsolutePath(std::string(value));
  return root;
}

std::vector<std::string> ModulesForRoot(const RootTree& root) {
  std::vector<std::string> names = {"virtio_mmio", "virtiofs"};
  if (root.changes == RootTree::Changes::kToMemory) names.emplace_back("overlay");
  return names;
}

}  // namespace vmm
