#include "base/guest_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

absl::Status NotRam(GuestAddr addr, uint64_t size) {
  return absl::OutOfRangeError(absl::StrFormat("guest-physical %#x..+%#x is not RAM", addr.value, size));
}

absl::Status CheckRanges(std::span<const GuestRange> ranges) {
  if (ranges.empty()) return absl::InvalidArgumentError("guest memory: no ranges");
  uint64_t lowest_free = 0;
  for (const GuestRange& range : ranges) {
    const bool aligned = range.start.value % kPageSize == 0 && range.size % kPageSize == 0;
    if (range.size == 0 || !aligned || !range.IsValid() || range.start.value < lowest_free) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "guest memory: range %#x..+%#x is empty, unaligned or not ascending", range.start.value, range.size));
    }
    lowest_free = range.end().value;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<GuestMemory>> GuestMemory::Create(std::span<const GuestRange> ranges) {
  RETURN_IF_ERROR(CheckRanges(ranges));
  uint64_t total = 0;
  for (const GuestRange& range : ranges) total += range.size;

  UniqueFd fd(memfd_create("guest-ram", MFD_CLOEXEC));
  if (!fd.valid()) return ErrnoStatus(errno, "guest memory: memfd_create");
  if (ftruncate(fd.get(), static_cast<off_t>(total)) != 0) {
    return ErrnoStatus(errno, absl::StrFormat("guest memory: size the memfd to %d bytes", total));
  }

  // The object owns each mapping as soon as it exists, so a failure half-way leaks none.
  std::unique_ptr<GuestMemory> memory(new GuestMemory(std::move(fd), {}));
  uint64_t offset = 0;
  for (const GuestRange& range : ranges) {
    void* host = mmap(nullptr, range.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, memory->fd(),
                      static_cast<off_t>(offset));
    if (host == MAP_FAILED) {
      return ErrnoStatus(errno, absl::StrFormat("guest memory: map %d bytes at %#x", range.size, range.start.value));
    }
    // A core dump of the VMM is not the guest's core, and must not be as large as the guest's RAM.
    madvise(host, range.size, MADV_DONTDUMP);
    memory->regions_.push_back({range, static_cast<uint8_t*>(host), offset});
    offset += range.size;
  }
  return memory;
}

GuestMemory::~GuestMemory() {
  for (const Region& region : regions_) munmap(region.host, region.range.size);
}

uint64_t GuestMemory::size() const {
  uint64_t total = 0;
  for (const Region& region : regions_) total += region.range.size;
  return total;
}

const GuestMemory::Region* GuestMemory::Find(GuestRange range) const {
  for (const Region& region : regions_) {
    if (region.range.Contains(range)) return &region;
  }
  return nullptr;
}

absl::StatusOr<std::span<uint8_t>> GuestMemory::Span(GuestRange range) {
  const Region* region = Find(range);
  if (region == nullptr) return NotRam(range.start, range.size);
  return std::span<uint8_t>(region->host + (range.start.value - region->range.start.value), range.size);
}

absl::Status GuestMemory::Write(GuestAddr addr, std::span<const uint8_t> data) {
  ASSIGN_OR_RETURN(std::span<uint8_t> target, Span({addr, data.size()}));
  if (!data.empty()) std::memcpy(target.data(), data.data(), data.size());
  return absl::OkStatus();
}

std::vector<GuestRange> GuestMemory::Ranges() const {
  std::vector<GuestRange> ranges;
  for (const Region& region : regions_) ranges.push_back(region.range);
  return ranges;
}

absl::StatusOr<std::vector<GuestRange>> GuestMemory::DataExtents() const {
  std::vector<GuestRange> extents;
  for (const Region& region : regions_) {
    const off_t begin = static_cast<off_t>(region.file_offset);
    const off_t end = begin + static_cast<off_t>(region.range.size);
    for (off_t at = begin; at < end;) {
      const off_t data = lseek(fd_.get(), at, SEEK_DATA);
      if (data < 0 && errno != ENXIO) return ErrnoStatus(errno, "guest memory: SEEK_DATA");
      if (data < 0 || data >= end) break;  // only holes up to the end of the region
      const off_t hole = lseek(fd_.get(), data, SEEK_HOLE);
      if (hole < 0) return ErrnoStatus(errno, "guest memory: SEEK_HOLE");
      at = std::min(hole, end);
      extents.push_back({GuestAddr{region.range.start.value + static_cast<uint64_t>(data - begin)},
                         static_cast<uint64_t>(at - data)});
    }
  }
  return extents;
}

absl::Status GuestMemory::Read(GuestAddr addr, std::span<uint8_t> out) const {
  const Region* region = Find({addr, out.size()});
  if (region == nullptr) return NotRam(addr, out.size());
  uint64_t offset = region->file_offset + (addr.value - region->range.start.value);
  while (!out.empty()) {
    const ssize_t got = pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return ErrnoStatus(got < 0 ? errno : EIO, "guest memory: pread");
    out = out.subspan(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
  }
  return absl::OkStatus();
}

std::span<const uint8_t> GuestMemory::Lend(GuestRange range) const {
  const Region* region = Find(range);
  if (region == nullptr) return {};
  return {region->host + (range.start.value - region->range.start.value), range.size};
}

}  // namespace vmm
