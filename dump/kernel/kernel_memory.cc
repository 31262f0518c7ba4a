#include "dump/kernel/kernel_memory.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr uint64_t kKernelHalf = 1ull << 63;

}  // namespace

KernelMemory::KernelMemory(const PhysicalMemory& memory, const KernelMap& map) : memory_(&memory), map_(map) {
  const std::vector<GuestRange> ram = memory.Ranges();
  if (!ram.empty()) ram_end_ = ram.back().end().value;
}

absl::StatusOr<KernelMemory::Run> KernelMemory::Translate(uint64_t vaddr) const {
  if (vaddr < kKernelHalf) return absl::NotFoundError(absl::StrFormat("%#x is no address of the kernel", vaddr));
  if (IsImage(vaddr)) {
    const uint64_t offset = vaddr - map_.image.vaddr;
    return Run{GuestAddr{map_.image.range.start.value + offset}, map_.image.range.size - offset};
  }
  if (map_.page_offset.has_value() && vaddr - *map_.page_offset < ram_end_) {
    const uint64_t phys = vaddr - *map_.page_offset;
    return Run{GuestAddr{phys}, ram_end_ - phys};
  }
  ASSIGN_OR_RETURN(const GuestAddr phys, PageTables(*memory_, map_.root, map_.levels).Translate(vaddr));
  return Run{phys, kPageSize - vaddr % kPageSize};
}

absl::Status KernelMemory::Read(uint64_t vaddr, std::span<uint8_t> out) const {
  while (!out.empty()) {
    ASSIGN_OR_RETURN(const Run run, Translate(vaddr));
    const size_t size = std::min<uint64_t>(run.size, out.size());
    RETURN_IF_ERROR(memory_->Read(run.phys, out.first(size)));
    out = out.subspan(size);
    vaddr += size;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint8_t>> KernelMemory::ReadBytes(uint64_t vaddr, size_t size) const {
  std::vector<uint8_t> bytes(size);
  RETURN_IF_ERROR(Read(vaddr, bytes));
  return bytes;
}

absl::StatusOr<std::string> KernelMemory::ReadString(uint64_t vaddr, size_t limit) const {
  std::string text;
  while (text.size() < limit) {
    const size_t in_page = kPageSize - vaddr % kPageSize;
    char chunk[256];
    const size_t size = std::min({sizeof(chunk), in_page, limit - text.size()});
    const absl::Status read = Read(vaddr, {reinterpret_cast<uint8_t*>(chunk), size});
    if (!read.ok()) {
      if (text.empty()) return read;
      break;
    }
    const char* const end = std::find(chunk, chunk + size, '\0');
    text.append(chunk, static_cast<size_t>(end - chunk));
    if (end != chunk + size) break;
    vaddr += size;
  }
  return text;
}

}  // namespace vmm
