// Compresses pages of RAM on several threads and hands them over in order.
#ifndef DUMP_KDUMP_COMPRESS_PAGES_H_
#define DUMP_KDUMP_COMPRESS_PAGES_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "base/physical_memory.h"
#include "dump/kdump/page_bitmap.h"
#include "dump/kdump/page_codec.h"

namespace vmm {

struct CompressedPage {
  uint64_t pfn = 0;
  bool joined = false;  // follows the page before it; both may be read at once
  uint32_t size = 0;    // bytes in the chunk; 0: a page of zeros
  uint32_t flags = 0;   // as in a page_desc
};

// Some pages, ascending, and their bytes, one page after the other.
struct CompressedChunk {
  std::vector<CompressedPage> pages;
  std::vector<uint8_t> bytes;
};

// Calls `take`, on the caller's thread, with every page of `wanted` that lies in `extents`, in ascending order.
// `extents` are ascending and belong to `memory`. The division into chunks does not depend on `threads`. The first
// error, from `take` or from reading, ends the call. If no thread can be started, the caller's thread compresses.
absl::Status CompressPages(const PhysicalMemory& memory, std::span<const GuestRange> extents, const PageBitmap& wanted,
                           KdumpCompression compression, int threads,
                           const std::function<absl::Status(const CompressedChunk& chunk)>& take);

}  // namespace vmm

#endif  // DUMP_KDUMP_COMPRESS_PAGES_H_
