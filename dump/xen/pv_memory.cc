#include "dump/xen/pv_memory.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "dump/xen/abi/xen_abi.h"
#include "dump/xen/xen_budget.h"

namespace vmm {
namespace {

constexpr uint64_t kPresent = 1, kLargePage = 1 << 7;
constexpr uint64_t kAddressMask = 0x000ffffffffff000;
constexpr uint64_t kChunkPages = 256;
constexpr uint64_t kEntries = 512;

// LINEAR_PT_VIRT_START in Xen's config.h.
constexpr unsigned kOwnTableSlot = 258;

constexpr uint64_t FrameOf(uint64_t entry) { return (entry & kAddressMask) / kPageSize; }

uint64_t WordAt(std::span<const uint8_t> bytes, uint64_t offset) {
  uint64_t word = 0;
  std::memcpy(&word, &bytes[offset], sizeof(word));
  return word;
}

bool IsXensSlot(int level, unsigned slot) { return level == 4 && slot >= kXenFirstSlot && slot <= kXenLastSlot; }

}  // namespace

PvMemory::PvMemory(const PhysicalMemory& machine, std::shared_ptr<const P2m> p2m)
    : machine_(machine), p2m_(std::move(p2m)), machine_ranges_(machine.Ranges()) {
  for (const P2m::Run& run : p2m_->runs()) {
    const GuestRange range{GuestAddr{run.pfn * kPageSize}, run.count * kPageSize};
    if (!ranges_.empty() && ranges_.back().end() == range.start) {
      ranges_.back().size += range.size;
    } else {
      ranges_.push_back(range);
    }
  }
}

absl::StatusOr<std::unique_ptr<PvMemory>> PvMemory::Create(const PhysicalMemory& machine,
                                                           std::shared_ptr<const P2m> p2m) {
  std::unique_ptr<PvMemory> memory(new PvMemory(machine, std::move(p2m)));
  Meter meter(kXenPageTablesBudget);
  RETURN_IF_ERROR(memory->FindTables(meter));
  return memory;
}

absl::Status PvMemory::FindRoots(std::vector<uint64_t>& roots, Meter& meter) const {
  std::vector<uint8_t> buffer(kChunkPages * kPageSize);
  for (const P2m::Run& run : p2m_->runs()) {
    for (uint64_t done = 0; done < run.count; done += kChunkPages) {
      if (!meter.Step()) return meter.status();
      const uint64_t pages = std::min(kChunkPages, run.count - done);
      const GuestRange chunk{GuestAddr{(run.mfn + done) * kPageSize}, pages * kPageSize};
      const std::span<uint8_t> bytes = std::span(buffer).first(chunk.size);
      RETURN_IF_ERROR(machine_.Read(chunk.start, bytes));
      for (uint64_t i = 0; i < pages; ++i) {
        const uint64_t own = WordAt(bytes, i * kPageSize + kOwnTableSlot * sizeof(uint64_t));
        if ((own & kPresent) != 0 && FrameOf(own) == run.mfn + done + i) roots.push_back(run.pfn + done + i);
      }
    }
  }
  return absl::OkStatus();
}

// Each page counts at the first level at which it is met: Xen lets a page be a table of one level only.
absl::Status PvMemory::FindTables(Meter& meter) {
  constexpr uint64_t kCostOfTable = 32;  // bytes in level_of_
  std::vector<uint64_t> roots;
  RETURN_IF_ERROR(FindRoots(roots, meter));
  std::vector<std::pair<uint64_t, int>> to_do;
  const auto add = [&](uint64_t pfn, int level) {
    if (!level_of_.emplace(pfn, level).second) return true;
    to_do.emplace_back(pfn, level);
    return meter.Step() && meter.Bytes(kCostOfTable);
  };
  for (const uint64_t root : roots) {
    if (!add(root, 4)) return meter.status();
  }
  roots_ = roots.size();
  while (!to_do.empty()) {
    const auto [pfn, level] = to_do.back();
    to_do.pop_back();
    if (level == 1) continue;
    ASSIGN_OR_RETURN(
        const auto table,
        (machine_.ReadObject<std::array<uint64_t, kEntries>>(GuestAddr{p2m_->MfnOf(pfn).value_or(0) * kPageSize})));
    for (unsigned slot = 0; slot < kEntries; ++slot) {
      const uint64_t entry = table[slot];
      if ((entry & kPresent) == 0 || IsXensSlot(level, slot) || (level < 4 && (entry & kLargePage) != 0)) continue;
      const std::optional<uint64_t> next = p2m_->PfnOf(FrameOf(entry));
      if (next.has_value() && !add(*next, level - 1)) return meter.status();
    }
  }
  return absl::OkStatus();
}

uint64_t PvMemory::Turn(uint64_t entry, int level, unsigned slot) const {
  if (IsXensSlot(level, slot)) return 0;
  if ((entry & kPresent) == 0) return entry;
  const uint64_t mfn = FrameOf(entry);
  if (const std::optional<uint64_t> pfn = p2m_->PfnOf(mfn); pfn.has_value()) {
    return (entry & ~kAddressMask) | (*pfn * kPageSize);
  }
  const bool is_ram = std::ranges::any_of(
      machine_ranges_, [mfn](const GuestRange& range) { return range.Contains(GuestAddr{mfn * kPageSize}); });
  return is_ram || p2m_->MfnOf(mfn).has_value() ? 0 : entry;
}

// `bytes` are of page `pfn`, from `offset` on.
void PvMemory::TurnPage(uint64_t pfn, uint64_t offset, std::span<uint8_t> bytes) const {
  const auto found = level_of_.find(pfn);
  if (found == level_of_.end()) return;
  // The machine's bytes, whole entries, so that a read may begin and end in the middle of one.
  const uint64_t mfn = p2m_->MfnOf(pfn).value_or(0);
  for (uint64_t at = AlignDown(offset, sizeof(uint64_t)); at < offset + bytes.size(); at += sizeof(uint64_t)) {
    const absl::StatusOr<uint64_t> entry = machine_.ReadObject<uint64_t>(GuestAddr{mfn * kPageSize + at});
    const uint64_t turned = entry.ok() ? Turn(*entry, found->second, static_cast<unsigned>(at / 8)) : 0;
    const uint64_t first = std::max(at, offset), last = std::min(at + sizeof(uint64_t), offset + bytes.size());
    std::memcpy(&bytes[first - offset], reinterpret_cast<const uint8_t*>(&turned) + (first - at), last - first);
  }
}

absl::StatusOr<std::vector<GuestRange>> PvMemory::DataExtents() const {
  ASSIGN_OR_RETURN(const std::vector<GuestRange> extents, machine_.DataExtents());
  std::vector<GuestRange> data;
  for (const P2m::Run& run : p2m_->runs()) {
    const uint64_t run_start = run.mfn * kPageSize, run_end = run_start + run.count * kPageSize;
    auto extent = std::partition_point(extents.begin(), extents.end(),
                                       [&](const GuestRange& each) { return each.end().value <= run_start; });
    for (; extent != extents.end() && extent->start.value < run_end; ++extent) {
      const uint64_t start = std::max(run_start, extent->start.value);
      const uint64_t end = std::min(run_end, extent->end().value);
      const GuestAddr here{run.pfn * kPageSize + (start - run_start)};
      if (!data.empty() && data.back().end() == here) {
        data.back().size += end - start;
      } else {
        data.push_back({here, end - start});
      }
    }
  }
  return data;
}

absl::Status PvMemory::Read(GuestAddr addr, std::span<uint8_t> out) const {
  const std::vector<P2m::Run>& runs = p2m_->runs();
  const GuestRange wanted{addr, out.size()};
  if (!wanted.IsValid()) return absl::OutOfRangeError("a PV domain has no such address");
  while (!out.empty()) {
    const uint64_t pfn = addr.value / kPageSize, offset = addr.value % kPageSize;
    const auto after =
        std::partition_point(runs.begin(), runs.end(), [pfn](const P2m::Run& r) { return r.pfn <= pfn; });
    if (after == runs.begin() || pfn - std::prev(after)->pfn >= std::prev(after)->count) {
      return absl::OutOfRangeError(absl::StrFormat("the domain has no page %#x", pfn));
    }
    const P2m::Run& run = *std::prev(after);
    const uint64_t left = (run.pfn + run.count - pfn) * kPageSize - offset;
    const std::span<uint8_t> part = out.first(std::min<uint64_t>(left, out.size()));
    RETURN_IF_ERROR(machine_.Read(GuestAddr{(run.mfn + (pfn - run.pfn)) * kPageSize + offset}, part));
    for (uint64_t done = 0; done < part.size();) {
      const uint64_t at = addr.value + done;
      const uint64_t size = std::min<uint64_t>(kPageSize - at % kPageSize, part.size() - done);
      TurnPage(at / kPageSize, at % kPageSize, part.subspan(done, size));
      done += size;
    }
    addr.value += part.size();
    out = out.subspan(part.size());
  }
  return absl::OkStatus();
}

std::span<const uint8_t> PvMemory::Lend(GuestRange range) const {
  const uint64_t first = range.start.value / kPageSize;
  const std::optional<uint64_t> mfn = p2m_->MfnOf(first);
  if (!mfn.has_value() || range.size == 0 || !range.IsValid()) return {};
  const uint64_t last = (range.start.value + (range.size - 1)) / kPageSize;
  if (last - first > kChunkPages * 16) return {};
  for (uint64_t pfn = first; pfn <= last; ++pfn) {
    if (level_of_.contains(pfn) || p2m_->MfnOf(pfn) != *mfn + (pfn - first)) return {};
  }
  return machine_.Lend({GuestAddr{*mfn * kPageSize + range.start.value % kPageSize}, range.size});
}

}  // namespace vmm
