// The p2m of a PV domain: the machine frame of each of its pages, and the reverse.
#ifndef DUMP_XEN_P2M_H_
#define DUMP_XEN_P2M_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "base/meter.h"
#include "base/physical_memory.h"
#include "dump/xen/frame_set.h"

namespace vmm {

// Immutable once read; any thread may call.
class P2m {
 public:
  // Pages that are adjacent for the domain and in the machine.
  struct Run {
    uint64_t pfn = 0;
    uint64_t mfn = 0;
    uint64_t count = 0;
  };

  // Reads the table to which `list_list`, an MFN, leads, for the PFNs below `max_pfn`. Every page of the table itself
  // is the domain's own, every MFN is RAM, and none occurs twice: else FailedPrecondition, with the entry at fault.
  // That is what tells a p2m from other memory. ResourceExhausted once `meter` is spent: each page of the table is a
  // step, each run costs its size in bytes.
  //
  // `frames` becomes the set of the p2m's frames and whatever it held before; after an error, what it held before.
  static absl::StatusOr<P2m> Read(const PhysicalMemory& machine, uint64_t list_list, uint64_t max_pfn, FrameSet& frames,
                                  Meter& meter);

  std::optional<uint64_t> MfnOf(uint64_t pfn) const;
  std::optional<uint64_t> PfnOf(uint64_t mfn) const;

  // Ascending by PFN.
  const std::vector<Run>& runs() const { return runs_; }

  // The number of pages.
  uint64_t pages() const { return pages_; }

 private:
  std::vector<Run> runs_;
  std::vector<uint32_t> by_mfn_;  // indices into runs_, ascending by their MFN
  uint64_t pages_ = 0;
};

// A p2m with fewer pages is taken for chance: no kernel starts in 2 MiB.
inline constexpr uint64_t kMinP2mPages = 512;

}  // namespace vmm

#endif  // DUMP_XEN_P2M_H_
