#include "dump/kdump/compress_pages.h"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/status.h"
#include "base/zero_page.h"

namespace vmm {
namespace {

// Enough to make handing over cheap. The pages of a chunk take 256 KiB, and so do their compressed bytes.
constexpr size_t kChunkPages = 64;

// Chunks in progress, for each thread: one that it compresses and one that waits to be written.
constexpr size_t kSlotsPerThread = 2;

// The pages still to be done, chunk by chunk.
class ChunkList {
 public:
  ChunkList(std::span<const GuestRange> extents, const PageBitmap& wanted) : extents_(extents), wanted_(wanted) {}

  // Fills `chunk` with the PFNs of the next pages. False if none are left.
  bool Next(CompressedChunk& chunk) {
    chunk.pages.clear();
    while (chunk.pages.size() < kChunkPages && !extents_.empty()) {
      const GuestRange& extent = extents_.front();
      const uint64_t end = (extent.start.value + extent.size) / kPageSize;
      const uint64_t pfn = wanted_.Find(std::max(next_, extent.start.value / kPageSize), true);
      if (pfn >= end) {
        extents_ = extents_.subspan(1);
        continue;
      }
      const bool joined = !chunk.pages.empty() && pfn == next_ && pfn != extent.start.value / kPageSize;
      chunk.pages.push_back({.pfn = pfn, .joined = joined});
      next_ = pfn + 1;
    }
    return !chunk.pages.empty();
  }

 private:
  std::span<const GuestRange> extents_;
  const PageBitmap& wanted_;
  uint64_t next_ = 0;
};

// The buffers and the compressor of one thread.
class Worker {
 public:
  Worker(const PhysicalMemory& memory, KdumpCompression compression) : memory_(memory), compressor_(compression) {}

  absl::Status Compress(CompressedChunk& chunk) {
    chunk.bytes.resize(kChunkPages * kPageSize);
    size_t used = 0;
    for (size_t first = 0; first < chunk.pages.size();) {
      size_t end = first + 1;
      while (end < chunk.pages.size() && chunk.pages[end].joined) ++end;
      ASSIGN_OR_RETURN(std::span<const uint8_t> run, Bytes(chunk.pages[first].pfn, end - first));
      for (; first < end; ++first, run = run.subspan(kPageSize)) {
        used += Put(run.first(kPageSize), chunk.pages[first], std::span(chunk.bytes).subspan(used));
      }
    }
    chunk.bytes.resize(used);
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<std::span<const uint8_t>> Bytes(uint64_t pfn, size_t pages) {
    const GuestRange range{GuestAddr{pfn * kPageSize}, pages * kPageSize};
    if (const std::span<const uint8_t> lent = memory_.Lend(range); !lent.empty()) return lent;
    buffer_.resize(kChunkPages * kPageSize);
    const std::span<uint8_t> bytes = std::span(buffer_).first(range.size);
    RETURN_IF_ERROR(memory_.Read(range.start, bytes));
    return std::span<const uint8_t>(bytes);
  }

  size_t Put(std::span<const uint8_t> bytes, CompressedPage& page, std::span<uint8_t> out) {
    if (IsZeroPage(bytes.data())) return 0;
    const size_t size = compressor_.Compress(bytes, out.first(kPageSize));
    page.flags = size == 0 ? 0 : compressor_.flag();
    page.size = static_cast<uint32_t>(size == 0 ? kPageSize : size);
    if (size == 0) std::copy(bytes.begin(), bytes.end(), out.begin());
    return page.size;
  }

  const PhysicalMemory& memory_;
  PageCompressor compressor_;
  std::vector<uint8_t> buffer_;
};

// Chunk n is compressed in slot n modulo the number of slots. A worker may begin it once the previous chunk of that
// slot has been taken. Chunks are taken in order.
class Pipeline {
 public:
  Pipeline(ChunkList list, size_t threads)
      : list_(std::move(list)), slots_(std::max<size_t>(1, threads) * kSlotsPerThread) {}

  // The body of a worker's thread. Returns when there is nothing more to do.
  void Work(Worker& worker) {
    while (WorkOnce(worker)) {
    }
  }

  // Waits for a free slot. False if there is nothing more to do.
  bool WorkOnce(Worker& worker) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopped_ || ended_ || begun_ < taken_ + slots_.size(); });
    if (stopped_ || ended_) return false;
    Slot& slot = slots_[begun_ % slots_.size()];
    if (!list_.Next(slot.chunk)) {
      ended_ = true;
      changed_.notify_all();
      return false;
    }
    ++begun_;
    lock.unlock();
    absl::Status status = worker.Compress(slot.chunk);
    lock.lock();
    slot.status = std::move(status);
    slot.ready = true;
    changed_.notify_all();
    return true;
  }

  // Hands the next chunk to `take`. False if none is left.
  absl::StatusOr<bool> TakeOnce(const std::function<absl::Status(const CompressedChunk&)>& take) {
    std::unique_lock lock(mutex_);
    Slot& slot = slots_[taken_ % slots_.size()];
    changed_.wait(lock, [&] { return slot.ready || (ended_ && taken_ == begun_); });
    if (!slot.ready) return false;
    lock.unlock();
    RETURN_IF_ERROR(slot.status);
    RETURN_IF_ERROR(take(slot.chunk));
    lock.lock();
    slot.ready = false;
    ++taken_;
    changed_.notify_all();
    return true;
  }

  void Stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

 private:
  struct Slot {
    CompressedChunk chunk;  // the worker's until ready, then the taker's
    absl::Status status;
    bool ready = false;
  };

  std::mutex mutex_;  // guards everything below except the chunks
  std::condition_variable changed_;
  ChunkList list_;
  std::vector<Slot> slots_;
  uint64_t begun_ = 0;  // chunks
  uint64_t taken_ = 0;
  bool ended_ = false;    // there are only begun_ chunks
  bool stopped_ = false;  // an error: nobody needs the rest
};

}  // namespace

absl::Status CompressPages(const PhysicalMemory& memory, std::span<const GuestRange> extents, const PageBitmap& wanted,
                           KdumpCompression compression, int threads,
                           const std::function<absl::Status(const CompressedChunk& chunk)>& take) {
  Pipeline pipeline(ChunkList(extents, wanted), static_cast<size_t>(threads));
  std::vector<std::thread> started;
  try {
    for (int i = 0; i < threads; ++i) {
      started.emplace_back([&] {
        Worker worker(memory, compression);
        pipeline.Work(worker);
      });
    }
  } catch (const std::system_error&) {
    // No more threads can be started. The ones that run do the work, or this thread does if there are none.
  }
  std::unique_ptr<Worker> own;
  if (started.empty()) own = std::make_unique<Worker>(memory, compression);

  absl::StatusOr<bool> more = true;
  while (more.ok() && *more) {
    if (own != nullptr) pipeline.WorkOnce(*own);
    more = pipeline.TakeOnce(take);
  }
  pipeline.Stop();
  for (std::thread& thread : started) thread.join();
  return more.status();
}

}  // namespace vmm
