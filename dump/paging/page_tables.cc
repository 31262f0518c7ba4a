#include "dump/paging/page_tables.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr uint64_t kPresent = 1 << 0;
constexpr uint64_t kPageSizeBit = 1 << 7;  // in an entry of level 2 or 3: it maps a page, not a table
constexpr uint64_t kAddressMask = 0x000ffffffffff000;

using Table = std::array<uint64_t, 512>;

// Levels count from 1, the level whose entries map 4 KiB each (the SDM's PT).
uint64_t SpanOfEntry(int level) { return kPageSize << (9 * (level - 1)); }
size_t IndexOf(uint64_t vaddr, int level) { return (vaddr / SpanOfEntry(level)) % 512; }

bool IsLeaf(uint64_t entry, int level) {
  return level == 1 || ((level == 2 || level == 3) && (entry & kPageSizeBit) != 0);
}

GuestAddr TableAddress(uint64_t entry) { return GuestAddr{entry & kAddressMask}; }

// The low address bits of a leaf are flags (PAT is bit 12 of a large page).
GuestAddr LeafAddress(uint64_t entry, int level) {
  return GuestAddr{AlignDown(entry & kAddressMask, SpanOfEntry(level))};
}

}  // namespace

absl::StatusOr<uint64_t> PageTables::TopEntry(uint64_t vaddr) const {
  return memory_->ReadObject<uint64_t>(GuestAddr{root_.value + 8 * IndexOf(vaddr, levels_)});
}

absl::StatusOr<GuestAddr> PageTables::Translate(uint64_t vaddr) const {
  GuestAddr table = root_;
  for (int level = levels_; level >= 1; --level) {
    ASSIGN_OR_RETURN(const uint64_t entry,
                     memory_->ReadObject<uint64_t>(GuestAddr{table.value + 8 * IndexOf(vaddr, level)}));
    if ((entry & kPresent) == 0) {
      return absl::NotFoundError(absl::StrFormat("%#x is not mapped (level %d entry %#x)", vaddr, level, entry));
    }
    if (IsLeaf(entry, level)) {
      return GuestAddr{LeafAddress(entry, level).value + vaddr % SpanOfEntry(level)};
    }
    table = TableAddress(entry);
  }
  return absl::InternalError("page walk passed level 1");
}

bool PageTables::ForEachMapping(uint64_t first, uint64_t last, const std::function<bool(const PageMapping&)>& visit,
                                Meter* meter) const {
  // The current table of each level, and the start of the address range for which it was entered.
  struct Loaded {
    uint64_t base = 1;  // no table's range starts at an odd address
    bool usable = false;
    Table table;
  };
  std::array<Loaded, 6> loaded;
  std::unordered_set<uint64_t> seen;  // table address, with the level in its low bits

  uint64_t vaddr = AlignDown(first, kPageSize);
  while (vaddr <= last) {
    GuestAddr table = root_;
    int level = levels_;
    uint64_t entry = 0;
    for (;; --level) {
      Loaded& at = loaded[level];
      const uint64_t base = level == levels_ ? 0 : AlignDown(vaddr, SpanOfEntry(level + 1));
      if (at.base != base) {
        at.base = base;
        const bool is_new = seen.insert(table.value | static_cast<uint64_t>(level)).second;
        if (seen.size() > kMaxTables || (is_new && meter != nullptr && !meter->Step())) return false;
        at.usable = is_new && memory_->Read(table, {reinterpret_cast<uint8_t*>(at.table.data()), sizeof(Table)}).ok();
      }
      if (!at.usable) {
        ++level;  // this table does not count: go on after the entry that led to it
        break;
      }
      entry = at.table[IndexOf(vaddr, level)];
      if ((entry & kPresent) == 0) break;
      if (IsLeaf(entry, level)) {
        const uint64_t span = SpanOfEntry(level);
        if (!visit({AlignDown(vaddr, span), LeafAddress(entry, level), span})) return true;
        break;
      }
      table = TableAddress(entry);
    }
    if (level > levels_) return true;  // the top table itself could not be read
    const uint64_t span = SpanOfEntry(level);
    const uint64_t next = AlignDown(vaddr, span) + span;
    if (next <= vaddr) return true;  // past the top of the address space
    vaddr = next;
  }
  return true;
}

}  // namespace vmm
