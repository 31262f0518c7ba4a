#include "dump/kernel/orc.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr uint64_t kIpSize = sizeof(int32_t);
constexpr uint64_t kMaxEntries = 16 << 20;  // Debian's 6.1 has 240,000

// struct orc_entry, packed.
struct RawEntry {
  int16_t sp_offset;
  int16_t bp_offset;
  uint16_t bits;  // 0-3 sp_reg, 4-7 bp_reg; OrcLayout gives the meaning of the bits above
};
static_assert(sizeof(RawEntry) == 6);

OrcType TypeOf(uint16_t bits, OrcLayout layout) {
  constexpr std::array<OrcType, 5> kNewTypes = {OrcType::kUndefined, OrcType::kEndOfStack, OrcType::kCall,
                                                OrcType::kRegs, OrcType::kRegsPartial};
  constexpr std::array<OrcType, 4> kOldTypes = {OrcType::kCall, OrcType::kRegs, OrcType::kRegsPartial,
                                                OrcType::kUndefined};
  if (layout == OrcLayout::kType3 || layout == OrcLayout::kType3Renumbered) {
    const size_t type = bits >> 8 & 7;
    return type < kNewTypes.size() ? kNewTypes[type] : OrcType::kUndefined;
  }
  const bool end = (bits >> (layout == OrcLayout::kTypeAndEnd ? 10 : 11) & 1) != 0;
  if ((bits & 0xf) == 0) return end ? OrcType::kEndOfStack : OrcType::kUndefined;
  return kOldTypes[bits >> 8 & 3];
}

OrcRegister RegisterOf(uint16_t number, OrcLayout layout) {
  if (layout != OrcLayout::kType3Renumbered) return static_cast<OrcRegister>(number);
  using enum OrcRegister;
  constexpr std::array<OrcRegister, 11> kRenumbered = {
      kUndefined, kUndefined /* AX, which nothing builds on */, kDx, kSp, kBp, kDi, kR10, kR13, kPrevSp, kSpIndirect,
      kBpIndirect};
  return number < kRenumbered.size() ? kRenumbered[number] : kUndefined;
}

// Nearly all entries describe plain calls with SP or BP: type 0 in the old layouts, 2 in the new. Of the old layouts
// only 6.3's ever sets bit 11, its `end` bit. SP is the most common register; its number was 5 and is now 3.
absl::StatusOr<OrcLayout> GuessLayout(const KernelMemory& memory, uint64_t entries, uint64_t count) {
  size_t old_calls = 0;
  size_t new_calls = 0;
  size_t old_sp = 0;
  size_t new_sp = 0;
  bool bit_11 = false;
  std::vector<uint8_t> chunk;
  for (uint64_t done = 0; done < count;) {
    const uint64_t now = std::min<uint64_t>(count - done, 64 << 10);
    ASSIGN_OR_RETURN(chunk, memory.ReadBytes(entries + done * sizeof(RawEntry), now * sizeof(RawEntry)));
    for (uint64_t i = 0; i < now; ++i) {
      RawEntry raw;
      std::memcpy(&raw, &chunk[i * sizeof(RawEntry)], sizeof(raw));
      bit_11 |= (raw.bits & 1 << 11) != 0;
      if ((raw.bits & 0xf) == 0) continue;
      old_calls += (raw.bits >> 8 & 7) == 0;
      new_calls += (raw.bits >> 8 & 7) == 2;
      old_sp += (raw.bits & 0xf) == 5;
      new_sp += (raw.bits & 0xf) == 3;
    }
    done += now;
  }
  if (new_calls > old_calls) return new_sp > old_sp ? OrcLayout::kType3Renumbered : OrcLayout::kType3;
  return bit_11 ? OrcLayout::kTypeSignalAndEnd : OrcLayout::kTypeAndEnd;
}

}  // namespace

absl::StatusOr<OrcTable> OrcTable::Find(const KernelMemory& memory, const KernelSymbols& symbols) {
  const auto start_ip = symbols.Find("__start_orc_unwind_ip");
  const auto stop_ip = symbols.Find("__stop_orc_unwind_ip");
  const auto start = symbols.Find("__start_orc_unwind");
  if (!start_ip || !stop_ip || !start) {
    return absl::NotFoundError("no ORC tables (CONFIG_UNWINDER_ORC, and CONFIG_KALLSYMS_ALL to find them)");
  }
  const uint64_t count = (*stop_ip - *start_ip) / kIpSize;
  if (*stop_ip <= *start_ip || count > kMaxEntries) {
    return absl::NotFoundError(absl::StrFormat("the ORC table from %#x to %#x makes no sense", *start_ip, *stop_ip));
  }
  ASSIGN_OR_RETURN(const OrcLayout layout, GuessLayout(memory, *start, count));
  return OrcTable(*start_ip, *start, static_cast<uint32_t>(count), layout);
}

absl::StatusOr<OrcEntry> OrcTable::Lookup(const KernelMemory& memory, uint64_t ip) const {
  // Find the first place after `ip`.
  uint32_t low = 0;
  uint32_t high = count_;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    const uint64_t at = ips_ + middle * kIpSize;
    ASSIGN_OR_RETURN(const int32_t distance, memory.ReadObject<int32_t>(at));
    if (at + static_cast<uint64_t>(int64_t{distance}) > ip) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  if (low == 0) return absl::NotFoundError(absl::StrFormat("no ORC entry for %#x", ip));
  ASSIGN_OR_RETURN(const RawEntry raw, memory.ReadObject<RawEntry>(entries_ + uint64_t{low - 1} * sizeof(RawEntry)));
  OrcEntry entry;
  entry.sp_offset = raw.sp_offset;
  entry.bp_offset = raw.bp_offset;
  entry.sp_register = RegisterOf(raw.bits & 0xf, layout_);
  entry.bp_register = RegisterOf(raw.bits >> 4 & 0xf, layout_);
  entry.type = TypeOf(raw.bits, layout_);
  return entry;
}

}  // namespace vmm
