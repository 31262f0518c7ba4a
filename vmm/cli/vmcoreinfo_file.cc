#include "vmm/cli/vmcoreinfo_file.h"

#include <algorithm>
#include <vector>

#include "base/input_file.h"
#include "base/status.h"
#include "dump/kernel/vmcoreinfo_note.h"

namespace vmm {

absl::StatusOr<VmcoreInfo> ReadVmcoreInfoFile(const std::string& path) {
  // A note may be followed by the rest of its pages. Anything longer is neither a note nor a text.
  constexpr uint64_t kMost = 2 * kMaxVmcoreInfo;
  ASSIGN_OR_RETURN(const InputFile file, Annotate(InputFile::Open(path), path));
  std::vector<uint8_t> bytes(std::min(file.size(), kMost));
  RETURN_IF_ERROR(Annotate(file.Read(0, bytes), path));
  return Annotate(ParseVmcoreInfoNoteOrText(bytes), path);
}

}  // namespace vmm
