#include "vmm/harness/plan.h"

namespace vmm {
namespace {

RootChanges LetterOf(RootTree::Changes changes) {
  switch (changes) {
    case RootTree::Changes::kToMemory: return kRootOverlay;
    case RootTree::Changes::kRefused: return kRootReadOnly;
    case RootTree::Changes::kToTheHost: return kRootWritable;
  }
  return kRootReadOnly;
}

bool IsInTmp(std::string_view path) { return path == "/tmp" || path.starts_with("/tmp/"); }

}  // namespace

std::string DescribeRoot(const RootTree& root, std::string_view working_folder, std::string_view program) {
  const bool needs_tmp = IsInTmp(working_folder) || IsInTmp(program);
  std::string text;
  text += static_cast<char>(LetterOf(root.changes));
  text += static_cast<char>(needs_tmp ? kRootTreesTmp : kRootEmptyTmp);
  text += kRootTag;
  return text;
}

}  // namespace vmm
