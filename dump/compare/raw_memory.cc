#include "dump/compare/raw_memory.h"

#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "dump/read/file_memory_map.h"

namespace vmm {

absl::StatusOr<std::unique_ptr<PhysicalMemory>> OpenRawMemory(const CoreFile& file,
                                                              std::span<const GuestRange> ranges) {
  std::vector<FilePiece> pieces;
  uint64_t total = 0;
  for (const GuestRange& range : ranges) {
    pieces.push_back({range, total, range.size});
    if (!CheckedAdd(total, range.size, &total)) return absl::InvalidArgumentError("RAM of more than 2^64 bytes");
  }
  if (total != file.size()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s has %d bytes; the RAM of the dump has %d", file.path(), file.size(), total));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<FileMemoryMap> memory, FileMemoryMap::Create(file, pieces));
  return std::unique_ptr<PhysicalMemory>(std::move(memory));
}

}  // namespace vmm
