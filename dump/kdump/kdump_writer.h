// The bytes of a kdump-compressed file: raw, never flattened.
//
//   block 0            disk_dump_header
//   block 1            kdump_sub_header; behind it the notes and VMCOREINFO's text
//   bitmap_offset      RAM, a bit a page; then the pages that are stored
//   desc_offset        a page_desc for each of those
//   data_offset        a page of zeros, which all zero pages share; then the others, compressed
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

// What goes into the file beside RAM's bytes. Spans are borrowed for the call of PlanKdump only.
struct KdumpContents {
  KdumpCompression compression = KdumpCompression::kZlib;
  int level = 1;            // told to readers; what it left out is `filtered`
  NewUtsname utsname = {};  // the guest's
  int cpus = 0;
  uint32_t current_cpu = 0;  // the one that panicked
  uint64_t phys_base = 0;
  std::string_view notes;                // as in a PT_NOTE
  std::string_view vmcoreinfo;           // its text; empty: none
  std::span<const GuestRange> ram;       // ascending, disjoint, page-aligned
  const PageBitmap* filtered = nullptr;  // pages of RAM that are left out; null: none
  std::span<const GuestRange> missing;   // RAM that is lost; as `ram`, and no part of it
};

struct KdumpLayout {
  KdumpCompression compression = KdumpCompression::kZlib;
  std::string header;  // blocks 0 and up, to the bitmaps
  PageBitmap ram;
  PageBitmap stored;
  PageBitmap missing;  // pages of `stored` with an empty descriptor; the header says "incomplete" if any is
  uint64_t bitmap_offset = 0;
  uint64_t desc_offset = 0;
  uint64_t data_offset = 0;
};

// Pure. InvalidArgument where RAM is empty or its ranges are not as they must be.
absl::StatusOr<KdumpLayout> PlanKdump(const KdumpContents& contents);

struct KdumpWriteOptions {
  // Threads that compress, beside the caller's, which writes. The file does not depend on it. 0: as many
  // as there are CPUs, at most kMaxKdumpThreads.
  int threads = 0;

  // Bytes of RAM done, and in all; may be empty. Called on the caller's thread.
  std::function<void(uint64_t done, uint64_t total)> progress;
};

inline constexpr int kMaxKdumpThreads = 8;

struct KdumpWritten {
  uint64_t file_size = 0;
  uint64_t data_bytes = 0;  // of RAM that is not zeros, before it was compressed
};

// Writes `memory` by `layout`; block 0, with the signature, comes last. Untouched memory is not read.
// Takes at most 16 MiB of memory.
absl::StatusOr<KdumpWritten> WriteKdump(const KdumpLayout& layout, const PhysicalMemory& memory, ByteSink& sink,
                                        const KdumpWriteOptions& options);

}  // namespace vmm

#endif  // DUMP_KDUMP_KDUMP_WRITER_H_
