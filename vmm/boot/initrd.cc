#include "vmm/boot/initrd.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/input_file.h"
#include "base/status.h"
#include "vmm/boot/placement.h"
#include "vmm/memory_map.h"

namespace vmm {
namespace {

absl::StatusOr<GuestRange> Load(const std::string& path, const GuestRange& kernel, uint32_t addr_max,
                                GuestMemory& memory) {
  ASSIGN_OR_RETURN(const InputFile file, InputFile::Open(path));
  const GuestRange low{GuestAddr{0}, kHighMemory.value};
  const std::vector<GuestRange> free = FreeRanges(memory.Ranges(), std::array{low, kernel});
  const Room room{.size = file.size(), .highest_end = std::min(uint64_t{addr_max} + 1, kHole.start.value)};
  const std::optional<GuestAddr> start = HighestPlace(free, room);
  if (!start.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%d bytes do not fit into the guest's %d MiB below %#x (initrd_addr_max %#x) beside the kernel "
                        "at %#x..+%#x: give it more memory",
                        file.size(), memory.size() >> 20, room.highest_end, addr_max, kernel.start.value, kernel.size));
  }
  const GuestRange place{*start, file.size()};
  ASSIGN_OR_RETURN(const std::span<uint8_t> target, memory.Span(place));
  RETURN_IF_ERROR(file.Read(0, target));
  return place;
}

}  // namespace

absl::StatusOr<GuestRange> LoadInitrd(const std::string& path, const GuestRange& kernel, uint32_t addr_max,
                                      GuestMemory& memory) {
  if (path.empty()) return GuestRange{};
  return Annotate(Load(path, kernel, addr_max, memory), absl::StrFormat("initrd %s", path));
}

}  // namespace vmm
