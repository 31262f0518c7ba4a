// The RAM of a guest's guest (L2), read through the page tables that its host (L1) gave it, out of L1's
// RAM. To who reads it, it is RAM like any other: a dump can be made of it.
//
// L1 says which pages L2 has touched, not how much RAM it gave it. So RAM is taken to reach from 0, and
// from 4 GiB, to the last page that is mapped there, and what is not mapped in between to be RAM that
// was never touched. It reads as zeros; so does what L1 had swapped out. Between 3 and 4 GiB, where a
// PC has its devices, only what is mapped is RAM.
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
  // What the walk of the tables met.
  struct Walk {
    uint64_t pages = 0;          // taken in
    uint64_t bytes = 0;          // that they have
    uint64_t not_ram = 0;        // entries that lead out of L1's RAM: MMIO, or damage
    uint64_t misconfigured = 0;  // EPT only
    uint64_t repeated = 0;       // EPT only: tables met before, which count once
  };

  // No honest L1 maps its RAM more often than that, were it all one shared page.
  static constexpr uint64_t kMaxTimesMapped = 16;

  // L1's tables: those of an EPT pointer, or AMD's nested paging, under `root` with 4 or 5 levels. `l1`
  // is not owned and must outlive the result. InvalidArgument for an EPT pointer that no VM entry would
  // take; NotFound where no page of RAM is mapped; ResourceExhausted where there is no end to the pages, or L1's
  // RAM is mapped more than kMaxTimesMapped times: a file that would fill the disk.
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
  // Pages of L2 that lie side by side in L1, too.
  struct Run {
    GuestRange l2;
    GuestAddr l1;
  };

  explicit L2Memory(const PhysicalMemory& l1);

  // False where the walk should end: too much is mapped. REQUIRES: ascending calls.
  bool Add(GuestAddr l2, GuestAddr l1, uint64_t size);
  absl::Status Finish(bool cut_short);

  // The first run that ends behind `addr`.
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
