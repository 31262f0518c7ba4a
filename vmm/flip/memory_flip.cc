#include "vmm/flip/memory_flip.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

// Linux, Documentation/admin-guide/mm/pagemap.rst: one word for each page of a process.
constexpr uint64_t kPresent = 1ull << 63;
constexpr uint64_t kSwapped = 1ull << 62;
constexpr uint64_t kFileOrShared = 1ull << 61;

// A page of the memfd has kFileOrShared, also while it is migrated. Only a private copy has not.
bool IsPrivateCopy(uint64_t entry) { return (entry & (kPresent | kSwapped)) != 0 && (entry & kFileOrShared) == 0; }

absl::Status ReadAll(int fd, uint8_t* to, uint64_t size, uint64_t at, const char* what) {
  while (size > 0) {
    const ssize_t got = pread(fd, to, size, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return ErrnoStatus(got < 0 ? errno : EIO, what);
    to += got;
    at += static_cast<uint64_t>(got);
    size -= static_cast<uint64_t>(got);
  }
  return absl::OkStatus();
}

absl::Status WriteAll(int fd, const uint8_t* from, uint64_t size, uint64_t at) {
  while (size > 0) {
    const ssize_t put = pwrite(fd, from, size, static_cast<off_t>(at));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return ErrnoStatus(put < 0 ? errno : EIO, "merge: write to the guest's memfd");
    from += put;
    at += static_cast<uint64_t>(put);
    size -= static_cast<uint64_t>(put);
  }
  return absl::OkStatus();
}

const GuestMemory::Region* RegionOf(const GuestMemory& memory, GuestRange range) {
  for (const GuestMemory::Region& region : memory.regions()) {
    if (region.range.Contains(range)) return &region;
  }
  return nullptr;
}

absl::Status NotRam(GuestAddr addr, uint64_t size) {
  return absl::OutOfRangeError(absl::StrFormat("guest-physical %#x..+%#x is not RAM", addr.value, size));
}

}  // namespace

absl::StatusOr<std::unique_ptr<MemoryFlip>> MemoryFlip::Create(GuestMemory& memory) {
  UniqueFd pagemap(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  if (!pagemap.valid()) return ErrnoStatus(errno, "/proc/self/pagemap");
  return std::unique_ptr<MemoryFlip>(new MemoryFlip(memory, std::move(pagemap)));
}

absl::Status MemoryFlip::Open() {
  if (is_open()) return absl::FailedPreconditionError("guest memory is frozen already");
  RETURN_IF_ERROR(TryToMapPrivate());
  if (const absl::Status mapped = Map(MAP_PRIVATE); !mapped.ok()) {
    Map(MAP_SHARED).IgnoreError();  // nothing was written meanwhile
    return mapped;
  }
  open_ = true;
  return absl::OkStatus();
}

// A host that does not overcommit counts private mappings and may refuse them. A refusal in place could leave addresses
// without memory, so each mapping is tried elsewhere first, all of them at once.
absl::Status MemoryFlip::TryToMapPrivate() const {
  std::vector<std::span<uint8_t>> trials;
  absl::Status tried;
  for (const GuestMemory::Region& region : memory_.regions()) {
    void* trial = mmap(nullptr, region.range.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, memory_.fd(),
                       static_cast<off_t>(region.file_offset));
    if (trial == MAP_FAILED) {
      tried = ErrnoStatus(errno, absl::StrFormat("map %d bytes of guest RAM privately", region.range.size));
      break;
    }
    trials.push_back({static_cast<uint8_t*>(trial), region.range.size});
  }
  for (const std::span<uint8_t>& trial : trials) munmap(trial.data(), trial.size());
  return tried;
}

absl::Status MemoryFlip::Map(int sharing) {
  for (const GuestMemory::Region& region : memory_.regions()) {
    if (mmap(region.host, region.range.size, PROT_READ | PROT_WRITE, sharing | MAP_NORESERVE | MAP_FIXED, memory_.fd(),
             static_cast<off_t>(region.file_offset)) == MAP_FAILED) {
      return ErrnoStatus(errno, absl::StrFormat("map %d bytes of guest RAM again", region.range.size));
    }
    madvise(region.host, region.range.size, MADV_DONTDUMP);  // as GuestMemory did; the new mapping has lost it
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> MemoryFlip::Close() {
  uint64_t merged = 0;
  for (const GuestMemory::Region& region : memory_.regions()) {
    ASSIGN_OR_RETURN(const uint64_t bytes, MergeRegion(region));
    merged += bytes;
  }
  RETURN_IF_ERROR(Map(MAP_SHARED));
  open_ = false;
  return merged;
}

absl::StatusOr<uint64_t> MemoryFlip::MergeRegion(const GuestMemory::Region& region) {
  constexpr uint64_t kEntries = 16384;  // 64 MiB of RAM at a time
  std::vector<uint64_t> entries(kEntries);
  const uint64_t pages = region.range.size / kPageSize;
  const uint64_t first = reinterpret_cast<uintptr_t>(region.host) / kPageSize;
  uint64_t merged = 0;
  for (uint64_t at = 0; at < pages; at += kEntries) {
    const uint64_t count = std::min(kEntries, pages - at);
    RETURN_IF_ERROR(ReadAll(pagemap_.get(), reinterpret_cast<uint8_t*>(entries.data()), count * sizeof(uint64_t),
                            (first + at) * sizeof(uint64_t), "merge: read /proc/self/pagemap"));
    for (uint64_t i = 0; i < count;) {
      if (!IsPrivateCopy(entries[i])) {
        ++i;
        continue;
      }
      uint64_t end = i + 1;
      while (end < count && IsPrivateCopy(entries[end])) ++end;
      const uint64_t offset = (at + i) * kPageSize, size = (end - i) * kPageSize;
      RETURN_IF_ERROR(WriteAll(memory_.fd(), region.host + offset, size, region.file_offset + offset));
      merged += size;
      i = end;
    }
  }
  return merged;
}

absl::StatusOr<std::unique_ptr<FrozenMemory>> FrozenMemory::Create(const GuestMemory& memory) {
  ASSIGN_OR_RETURN(std::vector<GuestRange> extents, memory.DataExtents());
  return std::unique_ptr<FrozenMemory>(new FrozenMemory(memory, std::move(extents)));
}

absl::Status FrozenMemory::Read(GuestAddr addr, std::span<uint8_t> out) const {
  if (cancelled_.load(std::memory_order_relaxed)) return absl::CancelledError("the dump was given up");
  const GuestMemory::Region* region = RegionOf(memory_, {addr, out.size()});
  if (region == nullptr) return NotRam(addr, out.size());
  return ReadAll(memory_.fd(), out.data(), out.size(), region->file_offset + (addr.value - region->range.start.value),
                 "guest memory: read the memfd");
}

// The first write to a private page allocates it in the memfd too, with its old bytes. So a hole of the memfd is still
// a page that nobody has touched, and must not be read through the mapping.
absl::Status RunningMemory::Read(GuestAddr addr, std::span<uint8_t> out) const {
  const GuestMemory::Region* region = RegionOf(memory_, {addr, out.size()});
  if (region == nullptr) return NotRam(addr, out.size());
  uint64_t offset = region->file_offset + (addr.value - region->range.start.value);
  while (!out.empty()) {
    const uint64_t end = offset + out.size();
    const off_t found = lseek(memory_.fd(), static_cast<off_t>(offset), SEEK_DATA);
    if (found < 0 && errno != ENXIO) return ErrnoStatus(errno, "guest memory: SEEK_DATA");
    const uint64_t data = found < 0 ? end : std::min(static_cast<uint64_t>(found), end);
    std::memset(out.data(), 0, data - offset);
    out = out.subspan(data - offset);
    if (out.empty()) break;
    const off_t hole = lseek(memory_.fd(), static_cast<off_t>(data), SEEK_HOLE);
    if (hole < 0) return ErrnoStatus(errno, "guest memory: SEEK_HOLE");
    const uint64_t size = std::min(static_cast<uint64_t>(hole), end) - data;
    std::memcpy(out.data(), region->host + (data - region->file_offset), size);
    out = out.subspan(size);
    offset = data + size;
  }
  return absl::OkStatus();
}

}  // namespace vmm
