// The extended page tables of a guest's guest (SDM vol. 3, section 29.3), read from its host's RAM. They map
// L2-physical to L1-physical addresses. L1 wrote them, and they may be damaged, so a walk ends even over loops, aliases
// or rubbish.
#ifndef DUMP_NESTED_VMX_EPT_WALK_H_
#define DUMP_NESTED_VMX_EPT_WALK_H_

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "base/physical_memory.h"

namespace vmm {

// A page of L2 and its place in L1's memory.
struct EptMapping {
  GuestAddr l2;
  GuestAddr l1;
  uint64_t size = 0;        // 4 KiB, 2 MiB or 1 GiB
  uint8_t access = 0;       // bits 2:0 of the leaf: execute, write, read
  uint8_t memory_type = 0;  // 0 UC, 1 WC, 4 WT, 5 WP, 6 WB
};

// Counts from a walk. Entries that are no pages are not damage of the dump as such, but worth reporting.
struct EptWalkReport {
  uint64_t pages = 0;          // mappings passed to the visitor
  uint64_t tables = 0;         // tables read
  uint64_t mmio = 0;           // entries that allow writes but not reads: KVM's mark for MMIO
  uint64_t misconfigured = 0;  // entries with reserved bits or a bad memory type
  uint64_t outside = 0;        // tables outside L1's RAM
  uint64_t repeated = 0;       // tables met again: loops and aliases
  bool cut_short = false;      // kMaxTables was reached, or the visitor returned false
};

struct EptOptions {
  int physical_address_bits = 52;   // MAXPHYADDR of L1's CPU; address bits above are reserved
  bool mode_based_execute = false;  // secondary execution control 22: bit 10 makes an entry present, too
};

// A view, cheap to copy; `memory`, L1's RAM, must outlive it. Any thread may call.
class Ept {
 public:
  // InvalidArgument for an EPT pointer that no VM entry would accept. Its table need not lie in RAM.
  static absl::StatusOr<Ept> Create(const PhysicalMemory& memory, uint64_t ept_pointer, EptOptions options = {});

  GuestAddr root() const { return root_; }
  int levels() const { return levels_; }

  // The L1-physical address of byte `l2`. NotFound if L1 has not mapped it (it may never have been touched), or has
  // marked it as MMIO. OutOfRange if a table does not lie in RAM, or if `l2` is beyond the reach of the levels.
  // DataLoss for a misconfigured entry. The result itself need not lie in RAM.
  absl::StatusOr<GuestAddr> Translate(GuestAddr l2) const;

  // Calls `visit` for each mapped page in ascending order, until `visit` returns false. Skips a table that it has met
  // before, at any level: this ends loops, and keeps a hostile L1 from mapping one table without end. For the same
  // reason it reads at most kMaxTables tables.
  static constexpr uint64_t kMaxTables = 1 << 18;  // 512 GiB in pages of 4 KiB
  EptWalkReport ForEachMapping(const std::function<bool(const EptMapping&)>& visit) const;

 private:
  enum class EntryKind { kAbsent, kTable, kPage, kMmio, kMisconfigured };

  Ept(const PhysicalMemory& memory, GuestAddr root, int levels, EptOptions options)
      : memory_(&memory), root_(root), levels_(levels), options_(options) {}

  EntryKind Classify(uint64_t entry, int level) const;

  const PhysicalMemory* memory_;
  GuestAddr root_;
  int levels_;
  EptOptions options_;
};

}  // namespace vmm

#endif  // DUMP_NESTED_VMX_EPT_WALK_H_
