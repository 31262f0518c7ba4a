#include "dump/xen/frame_set.h"

#include <algorithm>

namespace vmm {

bool FrameSet::IsRam(uint64_t mfn) const {
  if (mfn >= UINT64_MAX / kPageSize) return false;
  const GuestAddr page{mfn * kPageSize};
  const auto after =
      std::partition_point(ram_.begin(), ram_.end(), [page](const GuestRange& range) { return range.start <= page; });
  return after != ram_.begin() && std::prev(after)->Contains(GuestRange{page, kPageSize});
}

bool FrameSet::Has(uint64_t mfn) const {
  const auto chunk = chunks_.find(mfn / kFramesPerChunk);
  return chunk != chunks_.end() && chunk->second[mfn % kFramesPerChunk];
}

bool FrameSet::Add(uint64_t mfn) {
  if (!IsRam(mfn)) return false;
  auto chunk = chunks_.find(mfn / kFramesPerChunk);
  if (chunk == chunks_.end()) {
    if (!meter_->Bytes(kFramesPerChunk / 8)) return false;
    chunk = chunks_.emplace(mfn / kFramesPerChunk, std::vector<bool>(kFramesPerChunk)).first;
  }
  if (chunk->second[mfn % kFramesPerChunk]) return false;
  chunk->second[mfn % kFramesPerChunk] = true;
  return true;
}

void FrameSet::Remove(uint64_t mfn) {
  const auto chunk = chunks_.find(mfn / kFramesPerChunk);
  if (chunk != chunks_.end()) chunk->second[mfn % kFramesPerChunk] = false;
}

}  // namespace vmm
