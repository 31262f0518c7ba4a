#include "dump/check/check_overlaps.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_format.h"
#include "base/guest_addr.h"

namespace vmm {
namespace {

using enum Reader;
using enum Harm;

// Two segments that hold the same physical addresses at two places in the file.
struct Overlap {
  uint64_t physical = 0;
  uint64_t size = 0;
  uint64_t offset_a = 0;
  uint64_t offset_b = 0;
};

// Compares each segment with one other: of all segments that begin before it, the one that reaches furthest. A segment
// that overlaps any of those also overlaps that one.
std::vector<Overlap> FindOverlaps(const ElfHeaders& elf) {
  std::vector<const Elf64_Phdr*> loads;
  for (const Elf64_Phdr& phdr : elf.phdrs) {
    uint64_t end = 0;
    if (phdr.p_type == PT_LOAD && phdr.p_filesz != 0 && CheckedAdd(phdr.p_paddr, phdr.p_filesz, &end) &&
        CheckedAdd(phdr.p_offset, phdr.p_filesz, &end)) {
      loads.push_back(&phdr);
    }
  }
  std::sort(loads.begin(), loads.end(),
            [](const Elf64_Phdr* a, const Elf64_Phdr* b) { return a->p_paddr < b->p_paddr; });
  std::vector<Overlap> overlaps;
  const Elf64_Phdr* widest = nullptr;
  for (const Elf64_Phdr* phdr : loads) {
    if (widest != nullptr && phdr->p_paddr - widest->p_paddr < widest->p_filesz) {
      const uint64_t inside = phdr->p_paddr - widest->p_paddr;
      const uint64_t offset = widest->p_offset + inside;
      if (offset != phdr->p_offset) {
        overlaps.push_back(
            {phdr->p_paddr, std::min(phdr->p_filesz, widest->p_filesz - inside), offset, phdr->p_offset});
      }
    }
    if (widest == nullptr || phdr->p_paddr + phdr->p_filesz > widest->p_paddr + widest->p_filesz) widest = phdr;
  }
  return overlaps;
}

// Returns the first physical address at which the two places differ. Returns none if bytes cannot be read: another
// finding reports that.
std::optional<uint64_t> FirstDifference(const ByteSource& file, const Overlap& overlap, uint64_t* budget) {
  constexpr uint64_t kChunk = 1 << 20;
  std::vector<uint8_t> a, b;
  for (uint64_t at = 0; at < overlap.size && *budget != 0;) {
    const uint64_t size = std::min({kChunk, overlap.size - at, *budget});
    a.resize(size);
    b.resize(size);
    if (!file.ReadAt(overlap.offset_a + at, a).ok() || !file.ReadAt(overlap.offset_b + at, b).ok()) return std::nullopt;
    const auto [different, other] = std::mismatch(a.begin(), a.end(), b.begin());
    if (different != a.end()) return overlap.physical + at + static_cast<uint64_t>(different - a.begin());
    at += size;
    *budget -= size;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Finding> CheckOverlaps(const ByteSource& file, const ElfHeaders& elf) {
  const std::vector<Overlap> overlaps = FindOverlaps(elf);
  if (overlaps.empty()) return {};
  uint64_t budget = kMaxComparedBytes;
  for (const Overlap& overlap : overlaps) {
    const std::optional<uint64_t> different = FirstDifference(file, overlap, &budget);
    if (!different.has_value()) continue;
    return {{"overlap",
             absl::StrFormat("two PT_LOADs have other bytes for the physical address %#x", *different),
             {{kCrash, kWrong, "it reads the first that has an address"},
              {kDrgn, kWrong, "it reads the last that has an address"}}}};
  }
  return {
      {"stored-twice",
       absl::StrFormat("%d PT_LOADs hold bytes that others hold too, for the same physical addresses", overlaps.size()),
       {}}};
}

}  // namespace vmm
