#include "vmm/boot/long_mode.h"

#include <array>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/boot/abi/bzimage_abi.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

// Intel SDM vol. 3: 2.5 (control registers), 4.5 (4-level and 5-level paging), 3.4.5 (descriptors).
constexpr uint64_t kCr0Pe = 1 << 0;
constexpr uint64_t kCr0Et = 1 << 4;
constexpr uint64_t kCr0Pg = 1u << 31;
constexpr uint64_t kCr4Pae = 1 << 5;
constexpr uint64_t kCr4La57 = 1 << 12;
constexpr uint64_t kEferLme = 1 << 8;
constexpr uint64_t kEferLma = 1 << 10;
constexpr uint64_t kApicBaseEnabledBsp = kLapicBase | 1 << 11 | 1 << 8;

constexpr uint64_t kPresentWritable = 0x3;
constexpr uint64_t kLargePage = 1 << 7;
constexpr int kPmdShift = 21;
constexpr int kBitsPerLevel = 9;
constexpr uint64_t kEntriesPerTable = 512;

constexpr uint8_t kCodeExecuteRead = 0xb;  // accessed
constexpr uint8_t kDataReadWrite = 0x3;    // accessed
constexpr uint8_t kBusyTss = 0xb;

constexpr uint64_t kGdtCode64 = 0x00af9b000000ffff;  // base 0, limit 4 GiB, L, execute/read
constexpr uint64_t kGdtData = 0x00cf93000000ffff;    // base 0, limit 4 GiB, read/write
constexpr std::array<uint64_t, 4> kGdt{0, 0, kGdtCode64, kGdtData};

// Page tables, one after the other from kBootPageTables. Tables are added as they are needed. The first is the root.
class IdentityMap {
 public:
  explicit IdentityMap(int levels) : levels_(levels), tables_(1) {}

  // Maps the 2 MiB page at `address`.
  void MapPage(uint64_t address) {
    size_t table = 0;
    // Walk down to the page directory (level 2). Its entries are the 2 MiB pages.
    for (int level = levels_; level > 2; --level) table = Descend(table, Index(address, level));
    tables_[table][Index(address, 2)] = address | kPresentWritable | kLargePage;
  }

  std::span<const uint8_t> bytes() const {
    return {reinterpret_cast<const uint8_t*>(tables_.data()), tables_.size() * kPageSize};
  }

 private:
  using Table = std::array<uint64_t, kEntriesPerTable>;
  static_assert(sizeof(Table) == kPageSize);

  static size_t Index(uint64_t address, int level) {
    return address >> (kPmdShift + (level - 2) * kBitsPerLevel) & (kEntriesPerTable - 1);
  }

  // Returns the table that entry `index` of `table` points to. Creates it if it is not there yet.
  size_t Descend(size_t table, size_t index) {
    if (tables_[table][index] == 0) {
      tables_[table][index] = (kBootPageTables.value + tables_.size() * kPageSize) | kPresentWritable;
      tables_.emplace_back();
    }
    return (tables_[table][index] - kBootPageTables.value) / kPageSize;
  }

  int levels_;
  std::vector<Table> tables_;
};

SegmentState FlatSegment(uint16_t selector, uint8_t type) {
  const bool code = type == kCodeExecuteRead;
  return {.selector = selector,
          .limit = 0xffffffff,
          .type = type,
          .s = true,
          .present = true,
          .l = code,
          .db = !code,
          .g = true};
}

}  // namespace

absl::Status WriteBootGdt(GuestMemory& memory) { return memory.WriteObject(kBootGdt, kGdt); }

absl::Status WriteIdentityMap(GuestMemory& memory, std::span<const GuestRange> ranges, bool five_level) {
  IdentityMap map(five_level ? 5 : 4);
  for (const GuestRange& range : ranges) {
    for (uint64_t at = AlignDown(range.start.value, kPmdSize); at < range.end().value; at += kPmdSize) {
      map.MapPage(at);
      if (map.bytes().size() > kBootPageTablesSize) {
        return absl::ResourceExhaustedError(
            absl::StrFormat("boot page tables: more than %d bytes", kBootPageTablesSize));
      }
    }
  }
  return memory.Write(kBootPageTables, map.bytes());
}

CpuState LongModeEntry(GuestAddr entry, bool five_level) {
  CpuState state;
  state.rip = entry.value;
  state.rsi = kBootParams.value;
  state.rsp = kEbda.value;  // a kernel sets up its own stack; this one is enough for a small guest

  state.cs = FlatSegment(kBootCs, kCodeExecuteRead);
  state.ds = state.es = state.ss = state.fs = state.gs = FlatSegment(kBootDs, kDataReadWrite);
  state.ldt = {.unusable = true};
  state.tr = {.limit = 0xffff, .type = kBusyTss, .present = true};  // VM entry requires one (SDM vol. 3, 27.3.1.2)
  state.gdt = {.base = kBootGdt.value, .limit = sizeof(kGdt) - 1};

  state.cr0 = kCr0Pe | kCr0Et | kCr0Pg;
  state.cr3 = kBootPageTables.value;
  state.cr4 = kCr4Pae | (five_level ? kCr4La57 : 0);
  state.efer = kEferLme | kEferLma;
  state.apic_base = kApicBaseEnabledBsp;
  return state;
}

}  // namespace vmm
