// The RAM of a PV domain by its own page numbers (pseudo-physical), read from the machine's RAM through the p2m.
//
// A PV domain's page tables hold machine frames. Here each of their entries has the domain's own page number instead,
// so to its readers the domain is a machine like any other. The tables are known by their roots: Xen gives every top
// table of a domain an entry 258 that leads to the table itself.
#ifndef DUMP_XEN_PV_MEMORY_H_
#define DUMP_XEN_PV_MEMORY_H_

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "base/meter.h"
#include "base/physical_memory.h"
#include "dump/xen/p2m.h"

namespace vmm {

// Immutable once made: any thread may call.
class PvMemory final : public PhysicalMemory {
 public:
  // `machine` is not owned and must outlive the result. ResourceExhausted if the domain's tables cost more than
  // kXenPageTablesBudget: then it is not known which pages are tables.
  static absl::StatusOr<std::unique_ptr<PvMemory>> Create(const PhysicalMemory& machine,
                                                          std::shared_ptr<const P2m> p2m);

  size_t roots() const { return roots_; }
  size_t tables() const { return level_of_.size(); }

  // PhysicalMemory. In a page table an entry that leads to a frame of the domain's own has its page number. Entries of
  // Xen's part of the address space, and those that lead to others' frames, read as 0: not mapped. A frame that is no
  // RAM, a device's, keeps its number, unless the domain has a page of that number.
  std::vector<GuestRange> Ranges() const override { return ranges_; }
  absl::StatusOr<std::vector<GuestRange>> DataExtents() const override;
  absl::Status Read(GuestAddr addr, std::span<uint8_t> out) const override;
  std::span<const uint8_t> Lend(GuestRange range) const override;

 private:
  PvMemory(const PhysicalMemory& machine, std::shared_ptr<const P2m> p2m);

  absl::Status FindRoots(std::vector<uint64_t>& roots, Meter& meter) const;
  absl::Status FindTables(Meter& meter);
  uint64_t Turn(uint64_t entry, int level, unsigned slot) const;
  void TurnPage(uint64_t pfn, uint64_t offset, std::span<uint8_t> bytes) const;

  const PhysicalMemory& machine_;
  const std::shared_ptr<const P2m> p2m_;
  const std::vector<GuestRange> machine_ranges_;
  std::vector<GuestRange> ranges_;
  std::unordered_map<uint64_t, int> level_of_;  // of the pages that are page tables: 4 is a top table
  size_t roots_ = 0;
};

}  // namespace vmm

#endif  // DUMP_XEN_PV_MEMORY_H_
