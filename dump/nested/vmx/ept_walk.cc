#include "dump/nested/vmx/ept_walk.h"

#include <array>
#include <unordered_set>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr int kEntries = 512;
constexpr int kMaxLevels = 5;
constexpr uint64_t kRead = 1, kWrite = 2, kExecute = 4, kUserExecute = 1 << 10;
constexpr uint64_t kLarge = 1 << 7;
constexpr uint64_t kAddressBits = 0x000ffffffffff000;  // 51:12

// Bytes that one entry of a table at `level` maps: 4 KiB at level 1.
constexpr uint64_t SpanOf(int level) { return uint64_t{1} << (12 + 9 * (level - 1)); }

constexpr int IndexOf(GuestAddr l2, int level) { return static_cast<int>(l2.value / SpanOf(level) % kEntries); }

using Table = std::array<uint64_t, kEntries>;

}  // namespace

absl::StatusOr<Ept> Ept::Create(const PhysicalMemory& memory, uint64_t ept_pointer, EptOptions options) {
  const uint64_t memory_type = ept_pointer & 7;
  const int levels = static_cast<int>(ept_pointer >> 3 & 7) + 1;
  const GuestAddr root{AlignDown(ept_pointer, kPageSize)};
  if (memory_type != 0 && memory_type != 6) {
    return absl::InvalidArgumentError(
        absl::StrFormat("EPT pointer 0x%x: memory type %d is neither UC (0) nor WB (6)", ept_pointer, memory_type));
  }
  if (levels != 4 && levels != 5) {
    return absl::InvalidArgumentError(absl::StrFormat("EPT pointer 0x%x: %d levels, not 4 or 5", ept_pointer, levels));
  }
  if ((ept_pointer & 0xf80) != 0 || root.value >> options.physical_address_bits != 0) {
    return absl::InvalidArgumentError(absl::StrFormat("EPT pointer 0x%x: reserved bits are set", ept_pointer));
  }
  return Ept(memory, root, levels, options);
}

Ept::EntryKind Ept::Classify(uint64_t entry, int level) const {
  const bool present =
      (entry & (kRead | kWrite | kExecute)) != 0 || (options_.mode_based_execute && (entry & kUserExecute) != 0);
  if (!present) return EntryKind::kAbsent;
  if ((entry & (kRead | kWrite)) == kWrite) return EntryKind::kMmio;
  if ((entry & kAddressBits) >> options_.physical_address_bits != 0) return EntryKind::kMisconfigured;

  const bool page = level == 1 || (level <= 3 && (entry & kLarge) != 0);
  if (!page) return (entry & 0xf8) == 0 ? EntryKind::kTable : EntryKind::kMisconfigured;  // bits 7:3
  const uint64_t memory_type = entry >> 3 & 7;
  if (memory_type == 2 || memory_type == 3 || memory_type == 7) return EntryKind::kMisconfigured;
  const bool aligned = (entry & kAddressBits) % SpanOf(level) == 0;
  return aligned ? EntryKind::kPage : EntryKind::kMisconfigured;
}

absl::StatusOr<GuestAddr> Ept::Translate(GuestAddr l2) const {
  if (l2.value >> (12 + 9 * levels_) != 0) {
    return absl::OutOfRangeError(absl::StrFormat("L2 address 0x%x is beyond %d levels", l2.value, levels_));
  }
  GuestAddr table = root_;
  for (int level = levels_; level >= 1; --level) {
    // A table's address below 2^52 plus an offset in a page does not wrap.
    const GuestAddr at{table.value + sizeof(uint64_t) * static_cast<uint64_t>(IndexOf(l2, level))};
    const auto entry = Annotate(memory_->ReadObject<uint64_t>(at),
                                absl::StrFormat("level %d of the EPT for L2 address 0x%x", level, l2.value));
    if (!entry.ok()) return entry.status();
    switch (Classify(*entry, level)) {
      case EntryKind::kAbsent: return absl::NotFoundError(absl::StrFormat("L2 address 0x%x is not mapped", l2.value));
      case EntryKind::kMmio: return absl::NotFoundError(absl::StrFormat("L2 address 0x%x is MMIO to L1", l2.value));
      case EntryKind::kMisconfigured:
        return absl::DataLossError(
            absl::StrFormat("L2 address 0x%x: EPT entry 0x%x at 0x%x is misconfigured", l2.value, *entry, at.value));
      case EntryKind::kPage: return GuestAddr{(*entry & kAddressBits) + l2.value % SpanOf(level)};
      case EntryKind::kTable: table = GuestAddr{*entry & kAddressBits}; break;
    }
  }
  return absl::InternalError("an EPT's last level has no tables");
}

EptWalkReport Ept::ForEachMapping(const std::function<bool(const EptMapping&)>& visit) const {
  // One frame per level and no recursion, so L1's memory does not decide about our stack.
  struct Frame {
    Table table;
    GuestAddr l2;  // the address that entry 0 maps
    int next = 0;
  };
  EptWalkReport report;
  std::array<Frame, kMaxLevels> frames;
  std::unordered_set<uint64_t> seen;
  int level = levels_ + 1;  // of the frame on top; above the root while there is none

  const auto enter = [&](GuestAddr table, GuestAddr l2) {
    if (!seen.insert(table.value).second) {
      ++report.repeated;
      return;
    }
    if (report.tables == kMaxTables) {
      report.cut_short = true;
      return;
    }
    Frame& frame = frames[static_cast<size_t>(level - 2)];
    std::span<uint8_t> bytes(reinterpret_cast<uint8_t*>(frame.table.data()), sizeof(frame.table));
    if (!memory_->Read(table, bytes).ok()) {
      ++report.outside;
      return;
    }
    ++report.tables;
    frame.l2 = l2;
    frame.next = 0;
    --level;
  };

  enter(root_, GuestAddr{0});
  while (level <= levels_ && !report.cut_short) {
    Frame& frame = frames[static_cast<size_t>(level - 1)];
    if (frame.next == kEntries) {
      ++level;
      continue;
    }
    const uint64_t entry = frame.table[static_cast<size_t>(frame.next)];
    const GuestAddr l2{frame.l2.value + static_cast<uint64_t>(frame.next++) * SpanOf(level)};
    switch (Classify(entry, level)) {
      case EntryKind::kAbsent: break;
      case EntryKind::kMmio: ++report.mmio; break;
      case EntryKind::kMisconfigured: ++report.misconfigured; break;
      case EntryKind::kTable: enter(GuestAddr{entry & kAddressBits}, l2); break;
      case EntryKind::kPage:
        ++report.pages;
        report.cut_short = !visit({l2, GuestAddr{entry & kAddressBits}, SpanOf(level), static_cast<uint8_t>(entry & 7),
                                   static_cast<uint8_t>(entry >> 3 & 7)});
        break;
    }
  }
  return report;
}

}  // namespace vmm
