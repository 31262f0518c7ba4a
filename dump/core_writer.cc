#include "dump/core_writer.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/zero_page.h"

namespace vmm {
namespace {

// How much is looked at, and so written, at a time.
constexpr uint64_t kLentChunk = 16 << 20;
constexpr uint64_t kReadChunk = 1 << 20;

// Zero pages between others cost less written than they cost as a second system call.
constexpr uint64_t kBridgedGap = 64 << 10;

class Writer {
 public:
  Writer(const CoreLayout& layout, const PhysicalMemory& memory, ByteSink& sink, const CoreProgress& progress)
      : layout_(layout), memory_(memory), sink_(sink), progress_(progress) {}

  absl::StatusOr<uint64_t> WriteRam() {
    ASSIGN_OR_RETURN(const std::vector<GuestRange> extents, memory_.DataExtents());
    for (const GuestRange& extent : extents) total_ += extent.size;
    for (const GuestRange& extent : extents) RETURN_IF_ERROR(WriteExtent(extent));
    if (progress_) progress_(done_, total_);
    return written_;
  }

 private:
  absl::Status WriteExtent(GuestRange extent) {
    const auto block = std::find_if(layout_.ram.begin(), layout_.ram.end(),
                                    [&](const CoreLayout::Block& b) { return b.range.Contains(extent); });
    if (block == layout_.ram.end()) {
      return absl::InternalError(
          absl::StrFormat("core: data at %#x..+%#x is in no block of RAM", extent.start.value, extent.size));
    }
    const bool lends = !memory_.Lend({extent.start, kPageSize}).empty();
    const uint64_t chunk_size = lends ? kLentChunk : kReadChunk;
    for (uint64_t at = 0; at < extent.size; at += chunk_size) {
      const GuestRange chunk{GuestAddr{extent.start.value + at}, std::min(chunk_size, extent.size - at)};
      ASSIGN_OR_RETURN(const std::span<const uint8_t> bytes, Bytes(chunk));
      RETURN_IF_ERROR(WriteChunk(block->offset + (chunk.start.value - block->range.start.value), bytes));
      done_ += chunk.size;
      if (progress_) progress_(done_, total_);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::span<const uint8_t>> Bytes(GuestRange chunk) {
    if (std::span<const uint8_t> lent = memory_.Lend(chunk); !lent.empty()) return lent;
    buffer_.resize(std::max<size_t>(buffer_.size(), chunk.size));
    const std::span<uint8_t> bytes = std::span<uint8_t>(buffer_).first(chunk.size);
    RETURN_IF_ERROR(memory_.Read(chunk.start, bytes));
    return std::span<const uint8_t>(bytes);
  }

  // Each run of pages that are not zero, runs with a small gap between them as one.
  absl::Status WriteChunk(uint64_t offset, std::span<const uint8_t> bytes) {
    uint64_t begin = 0, end = 0;  // of the run in hand
    for (uint64_t page = 0; page < bytes.size(); page += kPageSize) {
      if (IsZeroPage(bytes.data() + page)) continue;
      if (end != 0 && page - end > kBridgedGap) {
        RETURN_IF_ERROR(Put(offset + begin, bytes.subspan(begin, end - begin)));
        end = 0;
      }
      if (end == 0) begin = page;
      end = page + kPageSize;
    }
    return end == 0 ? absl::OkStatus() : Put(offset + begin, bytes.subspan(begin, end - begin));
  }

  absl::Status Put(uint64_t offset, std::span<const uint8_t> bytes) {
    written_ += bytes.size();
    return sink_.WriteAt(offset, bytes);
  }

  const CoreLayout& layout_;
  const PhysicalMemory& memory_;
  ByteSink& sink_;
  const CoreProgress& progress_;
  std::vector<uint8_t> buffer_;
  uint64_t total_ = 0;
  uint64_t done_ = 0;
  uint64_t written_ = 0;
};

std::span<const uint8_t> HeaderOf(const CoreLayout& layout) {
  return {reinterpret_cast<const uint8_t*>(layout.header.data()), layout.header.size()};
}

}  // namespace

absl::StatusOr<uint64_t> WriteCore(const CoreLayout& layout, const PhysicalMemory& memory, ByteSink& sink,
                                   const CoreProgress& progress) {
  RETURN_IF_ERROR(sink.SetSize(layout.file_size));
  ASSIGN_OR_RETURN(const uint64_t written, Writer(layout, memory, sink, progress).WriteRam());

  const std::span<const uint8_t> header = HeaderOf(layout);
  const size_t first_page = std::min<size_t>(header.size(), kPageSize);
  if (header.size() > first_page) RETURN_IF_ERROR(sink.WriteAt(first_page, header.subspan(first_page)));
  RETURN_IF_ERROR(sink.WriteAt(0, header.first(first_page)));
  return written;
}

absl::StatusOr<uint64_t> StreamCore(const CoreLayout& layout, const PhysicalMemory& memory, ByteSink& sink,
                                    const CoreProgress& progress) {
  RETURN_IF_ERROR(sink.SetSize(layout.file_size));
  RETURN_IF_ERROR(sink.WriteAt(0, HeaderOf(layout)));
  return Writer(layout, memory, sink, progress).WriteRam();
}

}  // namespace vmm
