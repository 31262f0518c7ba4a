// Writes a kdump-compressed file: raw, never flattened. Its layout is:
//
//   block 0            disk_dump_header
//   block 1            kdump_sub_header; after it the notes and VMCOREINFO's text
//   bitmap_offset      two bitmaps with one bit per page: first all RAM, then the stored pages
//   desc_offset        a page_desc for each stored page
//   data_offset        a page of zeros, which all zero pages share; then the other pages, compressed
//
// Byte by byte: docs/abi/kdump.md.
#ifndef DUMP_KDUMP_KDUMP_WRITER_H_
#define DUMP_KDUMP_KDUMP_WRITER_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/byte_sink.h"
#include "base/physical_memory.h"
#include "dump/abi/kdump_abi.h"
#include "dump/kdump/page_bitmap.h"
#include "dump/kdump/page_codec.h"

namespace vmm {

// The content of the file besides RAM's bytes. PlanKdump() borrows the spans only for its call.
struct KdumpContents {
  KdumpCompression compression = KdumpCompression::kZlib;
  int level = 1;            // dump level in the header; `filtered` has the pages it left out
  NewUtsname utsname = {};  // the guest's
  int cpus = 0;
  uint32_t current_cpu = 0;  // the one that panicked
  uint64_t phys_base = 0;
  std::string_view notes;                // as in a PT_NOTE
  std::string_view vmcoreinfo;           // its text; empty: none
  std::span<const GuestRange> ram;       // ascending, disjoint, page-aligned
  const PageBitmap* filtered = nullptr;  // pages of RAM that are left out; null: none
  std::span<const GuestRange> missing;   // lost RAM; in the same form as `ram`, not in `ram`
};

struct KdumpLayout {
  KdumpCompression compression = KdumpCompression::kZlib;
  std::string header;  // all blocks before the bitmaps
  PageBitmap ram;
  PageBitmap stored;
  PageBitmap missing;  // pages of `stored` with an empty descriptor; the header says "incomplete" if there are any
  uint64_t bitmap_offset = 0;
  uint64_t desc_offset = 0;
  uint64_t data_offset = 0;
};

// Pure. InvalidArgument if RAM is empty, or if its ranges or those of `missing` are not ascending, disjoint and
// page-aligned.
absl::StatusOr<KdumpLayout> PlanKdump(const KdumpContents& contents);

struct KdumpWriteOptions {
  // Number of threads that compress. The caller's thread is not one of them: it writes. The file does not depend on
  // this number. 0: as many as there are CPUs, at most kMaxKdumpThreads.
  int threads = 0;

  // Called on the caller's thread with the bytes of RAM done and the total. May be empty.
  std::function<void(uint64_t done, uint64_t total)> progress;
};

inline constexpr int kMaxKdumpThreads = 8;

struct KdumpWritten {
  uint64_t file_size = 0;
  uint64_t data_bytes = 0;  // of RAM that is not zeros, before compression
};

// Writes `memory` according to `layout`. Block 0, with the signature, is written last. Untouched memory is not read.
// Takes at most 16 MiB of memory.
absl::StatusOr<KdumpWritten> WriteKdump(const KdumpLayout& layout, const PhysicalMemory& memory, ByteSink& sink,
                                        const KdumpWriteOptions& options);

}  // namespace vmm

#endif  // DUMP_KDUMP_KDUMP_WRITER_H_
