#include "dump/tool/open_core.h"

namespace vmm {

std::string CutShortSentence(const Vmcore& core) {
  return core.cut_short().has_value() ? core.file().path() + " " + core.cut_short()->Text() : "";
}

absl::StatusOr<std::unique_ptr<Vmcore>> OpenCore(const Invocation& call, const std::string& path) {
  absl::StatusOr<std::unique_ptr<Vmcore>> core = Vmcore::Open(path);
  if (core.ok() && (*core)->cut_short().has_value()) call.TellCutShort(CutShortSentence(**core));
  return core;
}

}  // namespace vmm
