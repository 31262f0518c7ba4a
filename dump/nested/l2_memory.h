// The RAM of a guest's guest (L2), read from L1's RAM through the page tables that its host (L1) gave it. To its
// readers it is RAM like any other: a dump can be made of it.
//
// L1's tables show which pages L2 has touched, not how much RAM L2 has. So RAM is taken to reach from 0, and from 4
// GiB, to the last page mapped there. Unmapped pages in between are taken for RAM that was never touched. They read as
// zeros, and so do pages that L1 had swapped out. Between 3 and 4 GiB, where a PC has its devices, only mapped pages
// are RAM.
#ifndef DUMP_NESTED_L2_MEMORY_H_
#define DUMP_NESTED_L2_MEMORY_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "base/physical_memory.h"

namespace vmm {

// Immutable once made: any thread may call.
class L2Memory final : public PhysicalMemory {
 public:
  // Counts from the walk of the tables.
  struct Walk {
    uint64_t pages = 0;          // accepted as RAM
    uint64_t bytes = 0;          // in these pages
    uint64_t not_ram = 0;        // entries that lead out of L1's RAM: MMIO, or damage
    uint64_t misconfigured = 0;  // EPT only
    uint64_t repeated = 0;       // EPT only: tables met again; each counts once
  };

  // No honest L1 maps its RAM more often than this, even if all of it were one shared page.
  static constexpr uint64_t kMaxTimesMapped = 16;

  // Reads L2 through L1's tables: those of an EPT pointer, or AMD's nested paging under `root` with 4 or 5 levels. `l1`
  // is not owned and must outlive the result. InvalidArgument for an EPT pointer that no VM entry would accept.
  // NotFound if no page of RAM is mapped. ResourceExhausted if there is no end to the pages, or if L1's RAM is mapped
  // more than kMaxTimesMapped times, because such a file would fill the disk.
  static absl::StatusOr<std::unique_ptr<L2Memory>> ThroughEpt(const PhysicalMemory& l1, uint64_t ept_pointer,
                                                              bool mode_based_execute);
  static absl::StatusOr<std::unique_ptr<L2Memory>> ThroughNestedPaging(const PhysicalMemory& l1, GuestAddr root,
                                                                       int levels);

  const Walk& walk() const { return walk_; }

  // PhysicalMemory
  std::vector<GuestRange> Ranges() const override { return ranges_; }
  absl::StatusOr<std::vector<GuestRange>> DataExtents() const override;
  absl::Status Read(GuestAddr addr, std::span<uint8_t> out) const override;
  std::span<const uint8_t> Lend(GuestRange range) const override;

 private:
  // Adjacent pages of L2 that are adjacent in L1, too.
  struct Run {
    GuestRange l2;
    GuestAddr l1;
  };

  explicit L2Memory(const PhysicalMemory& l1);

  // Returns false if the walk should end because too much is mapped. REQUIRES: ascending calls.
  bool Add(GuestAddr l2, GuestAddr l1, uint64_t size);
  absl::Status Finish(bool cut_short);

  // The first run that ends after `addr`.
  std::vector<Run>::const_iterator RunAt(GuestAddr addr) const;

  const PhysicalMemory* l1_;
  const std::vector<GuestRange> l1_ranges_;
  uint64_t l1_size_ = 0;
  std::vector<Run> runs_;           // ascending
  std::vector<GuestRange> ranges_;  // runs and the gaps between them
  Walk walk_;
};

}  // namespace vmm

#endif  // DUMP_NESTED_L2_MEMORY_H_
