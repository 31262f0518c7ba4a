#include "dump/elf/core_writer.h"

#include <algorithm>
#include <future>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/zero_page.h"

namespace vmm {
namespace {

// The number of bytes that are examined, and so written, at a time. While one chunk of lent memory is written, the next
// is examined: both take time, and they use different parts of the machine.
constexpr uint64_t kLentChunk = 16 << 20;
constexpr uint64_t kReadChunk = 1 << 20;

// Writing a few zero pages between others costs less than a second system call.
constexpr uint64_t kBridgedGap = 64 << 10;

// Pages of a chunk that go into one write.
struct Run {
  uint64_t begin = 0, end = 0;
};

// Finds the runs of pages that are not zero. Runs with a small gap between them count as one.
std::vector<Run> FindRuns(std::span<const uint8_t> bytes) {
  std::vector<Run> runs;
  for (uint64_t page = 0; page < bytes.size(); page += kPageSize) {
    if (IsZeroPage(bytes.data() + page)) continue;
    if (runs.empty() || page - runs.back().end > kBridgedGap) runs.push_back({page, page});
    runs.back().end = page + kPageSize;
  }
  return runs;
}

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
    const uint64_t offset = block->offset + (extent.start.value - block->range.start.value);
    const std::span<const uint8_t> lent = memory_.Lend(extent);
    return lent.empty() ? WriteRead(extent, offset) : WriteLent(lent, offset);
  }

  absl::Status WriteLent(std::span<const uint8_t> extent, uint64_t offset) {
    const auto chunk = [&](uint64_t at) { return extent.subspan(at, std::min(kLentChunk, extent.size() - at)); };
    // The first search is deferred: most extents have only one chunk and need no thread. Later ones are deferred if no
    // thread can be had.
    std::future<std::vector<Run>> next = std::async(std::launch::deferred, FindRuns, chunk(0));
    for (uint64_t at = 0; at < extent.size(); at += kLentChunk) {
      const std::vector<Run> runs = next.get();
      if (at + kLentChunk < extent.size()) {
        next = std::async(std::launch::async | std::launch::deferred, FindRuns, chunk(at + kLentChunk));
      }
      RETURN_IF_ERROR(WriteRuns(offset + at, chunk(at), runs));
    }
    return absl::OkStatus();
  }

  absl::Status WriteRead(GuestRange extent, uint64_t offset) {
    buffer_.resize(kReadChunk);
    for (uint64_t at = 0; at < extent.size; at += kReadChunk) {
      const std::span<uint8_t> bytes = std::span(buffer_).first(std::min(kReadChunk, extent.size - at));
      RETURN_IF_ERROR(memory_.Read(GuestAddr{extent.start.value + at}, bytes));
      RETURN_IF_ERROR(WriteRuns(offset + at, bytes, FindRuns(bytes)));
    }
    return absl::OkStatus();
  }

  absl::Status WriteRuns(uint64_t offset, std::span<const uint8_t> chunk, std::span<const Run> runs) {
    for (const Run& run : runs) {
      RETURN_IF_ERROR(Put(offset + run.begin, chunk.subspan(run.begin, run.end - run.begin)));
    }
    done_ += chunk.size();
    if (progress_) progress_(done_, total_);
    return absl::OkStatus();
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
