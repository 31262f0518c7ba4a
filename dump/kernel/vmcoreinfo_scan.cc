#include "dump/kernel/vmcoreinfo_scan.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/meter.h"
#include "dump/kernel/vmcoreinfo_note.h"

namespace vmm {
namespace {

constexpr uint64_t kChunk = 1 << 20;
constexpr uint64_t kNameOffset = 12;  // in a note, after its header

// The text's offset from the probed address, and its maximum length, in bytes. Size 0: there is no text.
struct TextRange {
  uint64_t offset = 0;
  uint64_t size = 0;
};

TextRange ProbeNote(std::span<const uint8_t> page) {
  return {kVmcoreInfoTextOffset, ProbeVmcoreInfoNote(page).value_or(0)};
}

// The bare text, if `page` begins with it. It ends at a NUL within the page.
TextRange ProbeText(std::span<const uint8_t> page) {
  const bool is_text = std::memcmp(page.data(), kVmcoreInfoTextStart.data(), kVmcoreInfoTextStart.size()) == 0;
  return is_text ? TextRange{0, kPageSize} : TextRange{};
}

class Scan {
 public:
  Scan(const PhysicalMemory& memory, const std::function<bool(GuestAddr, VmcoreInfo)>& visit)
      : memory_(memory), visit_(visit) {}

  // Looks at the start of each page.
  absl::StatusOr<bool> OfPages(std::span<const GuestRange> extents, TextRange (*probe)(std::span<const uint8_t>)) {
    for (const GuestRange& extent : extents) {
      for (uint64_t done = 0; done < extent.size; done += kChunk) {
        const GuestRange chunk{GuestAddr{extent.start.value + done}, std::min(kChunk, extent.size - done)};
        ASSIGN_OR_RETURN(const std::span<const uint8_t> bytes, Bytes(chunk));
        for (uint64_t page = 0; page < chunk.size; page += kPageSize) {
          if (!meter_.Step()) return meter_.status();
          const TextRange text = probe(bytes.subspan(page, kVmcoreInfoProbeSize));
          if (text.size == 0) continue;
          if (!Pay(std::max(text.size, kMinCandidate))) return false;
          if (Offer(GuestAddr{chunk.start.value + page}, text)) return true;
        }
      }
    }
    return false;
  }

  // Finds notes at every multiple of 4 that is not the start of a page, by a search for the note's name.
  absl::StatusOr<bool> OfWords(std::span<const GuestRange> extents) {
    for (const GuestRange& extent : extents) {
      for (uint64_t done = 0; done < extent.size; done += kChunk) {
        const uint64_t size = std::min(kChunk + kVmcoreInfoName.size() - 1, extent.size - done);
        const GuestRange chunk{GuestAddr{extent.start.value + done}, size};
        ASSIGN_OR_RETURN(std::span<const uint8_t> bytes, Bytes(chunk));
        if (!meter_.Step(size / kPageSize)) return meter_.status();
        while (const void* name = memmem(bytes.data(), bytes.size(), kVmcoreInfoName.data(), kVmcoreInfoName.size())) {
          const auto before = static_cast<uint64_t>(static_cast<const uint8_t*>(name) - bytes.data());
          const uint64_t at = chunk.end().value - bytes.size() + before;
          bytes = bytes.subspan(before + 1);
          if (!Pay(kMinCandidate)) return false;
          const TextRange text = ProbeBefore(GuestAddr{at});
          if (text.size == 0) continue;
          if (!Pay(text.size)) return false;
          if (Offer(GuestAddr{at - kNameOffset}, text)) return true;
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

  // False if the budget does not cover `cost`.
  bool Pay(uint64_t cost) { return meter_.Bytes(cost); }

  // The text of the note that has its name at `name`; size 0 if there is no such note.
  TextRange ProbeBefore(GuestAddr name) const {
    if (name.value < kNameOffset || name.value % 4 != 0 || name.value % kPageSize == kNameOffset) return {};
    std::array<uint8_t, kVmcoreInfoProbeSize> bytes;
    if (!memory_.Read(GuestAddr{name.value - kNameOffset}, bytes).ok()) return {};
    return ProbeNote(bytes);
  }

  // Text that cannot be read or parsed is no candidate, and no error either.
  bool Offer(GuestAddr start, TextRange where) {
    std::string text(where.size, '\0');
    const GuestAddr at{start.value + where.offset};
    if (!memory_.Read(at, {reinterpret_cast<uint8_t*>(text.data()), text.size()}).ok()) return false;
    if (where.offset == 0) text.resize(std::min(text.find('\0'), text.size()));
    absl::StatusOr<VmcoreInfo> info = VmcoreInfo::Parse(std::move(text));
    return info.ok() && visit_(start, *std::move(info));
  }

  const PhysicalMemory& memory_;
  const std::function<bool(GuestAddr, VmcoreInfo)>& visit_;
  std::vector<uint8_t> buffer_;
  Meter meter_{kVmcoreInfoBudget};
};

}  // namespace

absl::StatusOr<bool> ScanForVmcoreInfo(const PhysicalMemory& memory,
                                       const std::function<bool(GuestAddr at, VmcoreInfo info)>& visit) {
  ASSIGN_OR_RETURN(const std::vector<GuestRange> extents, memory.DataExtents());
  ASSIGN_OR_RETURN(const bool note, Scan(memory, visit).OfPages(extents, ProbeNote));
  if (note) return true;
  return Scan(memory, visit).OfPages(extents, ProbeText);
}

absl::StatusOr<bool> ScanImageForVmcoreInfo(const PhysicalMemory& memory, GuestRange image,
                                            const std::function<bool(GuestAddr at, VmcoreInfo info)>& visit) {
  ASSIGN_OR_RETURN(const std::vector<GuestRange> extents, memory.DataExtents());
  std::vector<GuestRange> in_image;
  for (const GuestRange& extent : extents) {
    if (!image.IsValid() || !extent.Overlaps(image)) continue;
    const uint64_t start = std::max(extent.start.value, image.start.value);
    const uint64_t last = std::min(extent.start.value + (extent.size - 1), image.start.value + (image.size - 1));
    in_image.push_back({GuestAddr{start}, last - start + 1});
  }
  return Scan(memory, visit).OfWords(in_image);
}

}  // namespace vmm
