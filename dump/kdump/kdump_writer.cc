#include "dump/kdump/kdump_writer.h"

#include <algorithm>
#include <cstring>
#include <thread>

#include "base/bytes.h"
#include "base/status.h"
#include "dump/kdump/compress_pages.h"

namespace vmm {
namespace {

constexpr size_t kDataBuffer = 1 << 20;
constexpr size_t kDescBuffer = 256 << 10;

// Writes one part of the file from start to end in large pieces.
class Appender {
 public:
  Appender(ByteSink& sink, uint64_t offset, size_t buffer) : sink_(sink), offset_(offset), limit_(buffer) {
    buffer_.reserve(limit_);
  }

  uint64_t offset() const { return offset_ + buffer_.size(); }

  absl::Status Append(std::span<const uint8_t> bytes) {
    if (buffer_.size() + bytes.size() > limit_) RETURN_IF_ERROR(Flush());
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    return absl::OkStatus();
  }

  absl::Status Flush() {
    if (buffer_.empty()) return absl::OkStatus();
    RETURN_IF_ERROR(sink_.WriteAt(offset_, buffer_));
    offset_ += buffer_.size();
    buffer_.clear();
    return absl::OkStatus();
  }

 private:
  ByteSink& sink_;
  uint64_t offset_;
  const size_t limit_;
  std::vector<uint8_t> buffer_;
};

class Writer {
 public:
  Writer(const KdumpLayout& layout, const PhysicalMemory& memory, ByteSink& sink, const KdumpWriteOptions& options)
      : layout_(layout),
        memory_(memory),
        sink_(sink),
        options_(options),
        descs_(sink, layout.desc_offset, kDescBuffer),
        data_(sink, layout.data_offset, kDataBuffer) {}

  absl::StatusOr<KdumpWritten> Write() {
    RETURN_IF_ERROR(WritePages());
    RETURN_IF_ERROR(WriteBitmap(layout_.bitmap_offset, layout_.ram));
    RETURN_IF_ERROR(WriteBitmap((layout_.bitmap_offset + layout_.desc_offset) / 2, layout_.stored));
    const std::span<const uint8_t> header = BytesOfText(layout_.header);
    RETURN_IF_ERROR(sink_.WriteAt(kPageSize, header.subspan(kPageSize)));
    RETURN_IF_ERROR(sink_.WriteAt(0, header.first(kPageSize)));
    return KdumpWritten{data_.offset(), data_bytes_};
  }

 private:
  absl::Status WritePages() {
    const std::vector<uint8_t> zeros(kPageSize);
    RETURN_IF_ERROR(data_.Append(zeros));
    ASSIGN_OR_RETURN(const std::vector<GuestRange> extents, memory_.DataExtents());
    uint64_t total = 0;
    for (const GuestRange& extent : extents) {
      total += layout_.stored.Count(extent.start.value / kPageSize, (extent.start.value + extent.size) / kPageSize);
    }
    uint64_t done = 0;
    const auto take = [&](const CompressedChunk& chunk) {
      done += chunk.pages.size();
      if (options_.progress) options_.progress(done * kPageSize, total * kPageSize);
      return Take(chunk);
    };
    RETURN_IF_ERROR(CompressPages(memory_, extents, layout_.stored, layout_.compression, Threads(), take));
    RETURN_IF_ERROR(PutZeroPages(layout_.stored.pages()));
    RETURN_IF_ERROR(descs_.Flush());
    RETURN_IF_ERROR(data_.Flush());
    if (options_.progress) options_.progress(total * kPageSize, total * kPageSize);
    return absl::OkStatus();
  }

  int Threads() const {
    if (options_.threads > 0) return std::min(options_.threads, kMaxKdumpThreads);
    return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMaxKdumpThreads);
  }

  absl::Status Take(const CompressedChunk& chunk) {
    std::span<const uint8_t> bytes = chunk.bytes;
    for (const CompressedPage& page : chunk.pages) {
      if (page.size == 0) continue;
      RETURN_IF_ERROR(PutZeroPages(page.pfn));
      RETURN_IF_ERROR(descs_.Append(BytesOf(PageDesc{data_.offset(), page.size, page.flags, 0})));
      RETURN_IF_ERROR(data_.Append(bytes.first(page.size)));
      bytes = bytes.subspan(page.size);
      next_ = page.pfn + 1;
      data_bytes_ += kPageSize;
    }
    return absl::OkStatus();
  }

  // Puts the page_descs of all stored pages from next_ up to `end`.
  absl::Status PutZeroPages(uint64_t end) {
    const PageDesc zero{layout_.data_offset, static_cast<uint32_t>(kPageSize), 0, 0};
    if (layout_.missing.pages() != 0) return PutZeroOrMissingPages(zero, end);
    for (uint64_t left = layout_.stored.Count(next_, end); left > 0; --left) {
      RETURN_IF_ERROR(descs_.Append(BytesOf(zero)));
    }
    return absl::OkStatus();
  }

  absl::Status PutZeroOrMissingPages(const PageDesc& zero, uint64_t end) {
    for (uint64_t pfn = layout_.stored.Find(next_, true); pfn < end; pfn = layout_.stored.Find(pfn + 1, true)) {
      RETURN_IF_ERROR(descs_.Append(BytesOf(layout_.missing.Test(pfn) ? PageDesc{} : zero)));
    }
    return absl::OkStatus();
  }

  absl::Status WriteBitmap(uint64_t offset, const PageBitmap& bitmap) { return sink_.WriteAt(offset, bitmap.bytes()); }

  const KdumpLayout& layout_;
  const PhysicalMemory& memory_;
  ByteSink& sink_;
  const KdumpWriteOptions& options_;
  Appender descs_;
  Appender data_;
  uint64_t next_ = 0;  // the first PFN without a page_desc
  uint64_t data_bytes_ = 0;
};

absl::Status CheckRam(std::span<const GuestRange> ram) {
  uint64_t lowest_free = 0;
  uint64_t total = 0;
  for (const GuestRange& range : ram) {
    if (!range.IsValid() || range.start.value < lowest_free || (range.start.value | range.size) % kPageSize != 0) {
      return absl::InvalidArgumentError("kdump: RAM ranges are not ascending, disjoint and page-aligned");
    }
    lowest_free = range.end().value;
    total += range.size;
  }
  return total > 0 ? absl::OkStatus() : absl::InvalidArgumentError("kdump: no RAM");
}

}  // namespace

absl::StatusOr<KdumpLayout> PlanKdump(const KdumpContents& contents) {
  RETURN_IF_ERROR(CheckRam(contents.ram));
  if (!contents.missing.empty()) RETURN_IF_ERROR(CheckRam(contents.missing));
  uint64_t pages = contents.ram.back().end().value / kPageSize;
  if (!contents.missing.empty()) pages = std::max(pages, contents.missing.back().end().value / kPageSize);
  KdumpLayout layout;
  layout.compression = contents.compression;
  layout.ram = PageBitmap(pages);
  for (const GuestRange& range : contents.ram) {
    layout.ram.SetRange(range.start.value / kPageSize, range.end().value / kPageSize);
  }
  if (!contents.missing.empty()) layout.missing = PageBitmap(pages);
  for (const GuestRange& range : contents.missing) {
    layout.ram.SetRange(range.start.value / kPageSize, range.end().value / kPageSize);
    layout.missing.SetRange(range.start.value / kPageSize, range.end().value / kPageSize);
  }
  layout.stored = layout.ram;
  if (contents.filtered != nullptr) layout.stored.Subtract(*contents.filtered);

  const uint64_t note_offset = kPageSize + sizeof(KdumpSubHeader);
  const uint64_t info_offset = note_offset + contents.notes.size();
  const uint64_t sub_blocks = AlignUp(info_offset + contents.vmcoreinfo.size(), kPageSize) / kPageSize - 1;
  const uint64_t bitmap_size = AlignUp((pages + 7) / 8, kPageSize);
  layout.bitmap_offset = (1 + sub_blocks) * kPageSize;
  layout.desc_offset = layout.bitmap_offset + 2 * bitmap_size;
  layout.data_offset = layout.desc_offset + layout.stored.Count() * sizeof(PageDesc);

  DiskDumpHeader header = {};
  std::memcpy(header.signature, kKdumpSignature, sizeof(header.signature));
  header.header_version = kKdumpHeaderVersion;
  header.utsname = contents.utsname;
  header.status = contents.compression == KdumpCompression::kZlib ? kDhCompressedZlib : kDhCompressedZstd;
  if (!contents.missing.empty()) header.status |= kDhCompressedIncomplete;
  header.block_size = static_cast<int32_t>(kPageSize);
  header.sub_hdr_size = static_cast<int32_t>(sub_blocks);
  header.bitmap_blocks = static_cast<uint32_t>(2 * bitmap_size / kPageSize);
  header.max_mapnr = static_cast<uint32_t>(std::min<uint64_t>(pages, UINT32_MAX));
  header.current_cpu = contents.current_cpu;
  header.nr_cpus = contents.cpus;

  KdumpSubHeader sub = {};
  sub.phys_base = contents.phys_base;
  sub.dump_level = contents.level;
  sub.offset_note = contents.notes.empty() ? 0 : note_offset;
  sub.size_note = contents.notes.size();
  sub.offset_vmcoreinfo = contents.vmcoreinfo.empty() ? 0 : info_offset;
  sub.size_vmcoreinfo = contents.vmcoreinfo.size();
  sub.max_mapnr_64 = pages;

  layout.header.resize(layout.bitmap_offset);
  std::memcpy(layout.header.data(), &header, sizeof(header));
  std::memcpy(layout.header.data() + kPageSize, &sub, sizeof(sub));
  layout.header.replace(note_offset, contents.notes.size(), contents.notes);
  layout.header.replace(info_offset, contents.vmcoreinfo.size(), contents.vmcoreinfo);
  return layout;
}

absl::StatusOr<KdumpWritten> WriteKdump(const KdumpLayout& layout, const PhysicalMemory& memory, ByteSink& sink,
                                        const KdumpWriteOptions& options) {
  return Writer(layout, memory, sink, options).Write();
}

}  // namespace vmm
