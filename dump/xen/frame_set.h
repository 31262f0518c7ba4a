// A set of machine frames, all of them RAM.
#ifndef DUMP_XEN_FRAME_SET_H_
#define DUMP_XEN_FRAME_SET_H_

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/guest_addr.h"
#include "base/meter.h"

namespace vmm {

// One thread at a time.
class FrameSet {
 public:
  // `ram`: ascending, disjoint, page-aligned. Every 128 MiB of RAM that has a member pays 4 KiB to `meter`, which must
  // outlive the set.
  FrameSet(std::vector<GuestRange> ram, Meter* meter) : ram_(std::move(ram)), meter_(meter) {}

  bool IsRam(uint64_t mfn) const;
  bool Has(uint64_t mfn) const;

  // False if `mfn` is not RAM, is a member already, or if the meter is spent. Else it is a member now.
  bool Add(uint64_t mfn);
  void Remove(uint64_t mfn);

 private:
  static constexpr uint64_t kFramesPerChunk = 4096 * 8;

  std::vector<GuestRange> ram_;
  Meter* meter_;
  std::unordered_map<uint64_t, std::vector<bool>> chunks_;
};

}  // namespace vmm

#endif  // DUMP_XEN_FRAME_SET_H_
