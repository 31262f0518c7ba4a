#include "dump/vmcoreinfo_scan.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace vmm {
namespace {

constexpr std::string_view kTextStart = "OSRELEASE=";
constexpr std::string_view kNoteName("VMCOREINFO\0\0", 12);
constexpr uint64_t kTextOffset = 12 + kNoteName.size();
constexpr uint64_t kProbeSize = kTextOffset + kTextStart.size();
constexpr uint32_t kMinText = 64;
constexpr uint64_t kChunk = 1 << 20;

bool StartsWith(std::span<const uint8_t> bytes, std::string_view prefix) {
  return bytes.size() >= prefix.size() && std::memcmp(bytes.data(), prefix.data(), prefix.size()) == 0;
}

uint32_t Word(std::span<const uint8_t> bytes, size_t offset) {
  uint32_t word = 0;
  std::memcpy(&word, bytes.data() + offset, sizeof(word));
  return word;
}

// Where in a page the text is and how long at most; size 0: there is none.
struct TextRange {
  uint64_t offset = 0;
  uint64_t size = 0;
};

// `page` begins with an ELF note {n_namesz 11, n_descsz, n_type 0} "VMCOREINFO".
TextRange ProbeNote(std::span<const uint8_t> page) {
  if (Word(page, 0) != 11 || Word(page, 8) != 0) return {};
  const uint32_t size = Word(page, 4);
  if (size < kMinText || size > kMaxVmcoreInfo) return {};
  if (!StartsWith(page.subspan(12), kNoteName) || !StartsWith(page.subspan(kTextOffset), kTextStart)) return {};
  return {kTextOffset, size};
}

// `page` begins with the text itself, which ends at a NUL within the page.
TextRange ProbeText(std::span<const uint8_t> page) {
  return StartsWith(page, kTextStart) ? TextRange{0, kPageSize} : TextRange{};
}

class Scan {
 public:
  Scan(const PhysicalMemory& memory, const std::function<bool(GuestAddr, VmcoreInfo)>& visit)
      : memory_(memory), visit_(visit) {}

  absl::StatusOr<bool> Run(std::span<const GuestRange> extents, TextRange (*probe)(std::span<const uint8_t>)) {
    for (const GuestRange& extent : extents) {
      for (uint64_t done = 0; done < extent.size; done += kChunk) {
        const GuestRange chunk{GuestAddr{extent.start.value + done}, std::min(kChunk, extent.size - done)};
        ASSIGN_OR_RETURN(const std::span<const uint8_t> bytes, Bytes(chunk));
        for (uint64_t page = 0; page < chunk.size; page += kPageSize) {
          const TextRange text = probe(bytes.subspan(page, kProbeSize));
          if (text.size == 0) continue;
          const uint64_t cost = std::max(text.size, kMinCandidate);
          if (cost > budget_) return false;
          budget_ -= cost;
          if (Offer(GuestAddr{chunk.start.value + page}, text)) return true;
        }
      }
    }
    return false;
  }

 private:
  absl::StatusOr<std::span<const uint8_t>> Bytes(GuestRange chunk) {
    if (std::span<const uint8_t> lent = memory_.Lend(chunk); !lent.empty()) return lent;
    buffer_.resize(chunk.size);
    RETURN_IF_ERROR(memory_.Read(chunk.start, buffer_));
    return std::span<const uint8_t>(buffer_);
  }

  // Text that cannot be read or parsed is no candidate, and no error either.
  bool Offer(GuestAddr page, TextRange where) {
    std::string text(where.size, '\0');
    const GuestAddr at{page.value + where.offset};
    if (!memory_.Read(at, {reinterpret_cast<uint8_t*>(text.data()), text.size()}).ok()) return false;
    if (where.offset == 0) text.resize(std::min(text.find('\0'), text.size()));
    absl::StatusOr<VmcoreInfo> info = VmcoreInfo::Parse(std::move(text));
    return info.ok() && visit_(page, *std::move(info));
  }

  const PhysicalMemory& memory_;
  const std::function<bool(GuestAddr, VmcoreInfo)>& visit_;
  std::vector<uint8_t> buffer_;
  uint64_t budget_ = kCandidateBudget;
};

}  // namespace

absl::StatusOr<bool> ScanForVmcoreInfo(const PhysicalMemory& memory,
                                       const std::function<bool(GuestAddr at, VmcoreInfo info)>& visit) {
  ASSIGN_OR_RETURN(const std::vector<GuestRange> extents, memory.DataExtents());
  ASSIGN_OR_RETURN(const bool found, Scan(memory, visit).Run(extents, ProbeNote));
  if (found) return true;
  return Scan(memory, visit).Run(extents, ProbeText);
}

}  // namespace vmm
