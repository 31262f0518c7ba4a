#include "dump/testing/file_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/status.h"

namespace vmm {

absl::StatusOr<std::unique_ptr<FileMemory>> FileMemory::Open(const std::string& path, std::vector<GuestRange> ranges,
                                                             bool lend) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return ErrnoStatus(errno, "open " + path);
  std::unique_ptr<FileMemory> memory(new FileMemory(std::move(fd), std::move(ranges)));
  for (const GuestRange& range : memory->ranges_) memory->size_ += range.size;
  if (lend) {
    void* mapping = mmap(nullptr, memory->size_, PROT_READ, MAP_SHARED, memory->fd_.get(), 0);
    if (mapping == MAP_FAILED) return ErrnoStatus(errno, "map " + path);
    memory->mapping_ = static_cast<uint8_t*>(mapping);
  }
  return memory;
}

FileMemory::~FileMemory() {
  if (mapping_ != nullptr) munmap(mapping_, size_);
}

int64_t FileMemory::OffsetOf(GuestRange range) const {
  int64_t offset = 0;
  for (const GuestRange& ram : ranges_) {
    if (ram.Contains(range)) return offset + static_cast<int64_t>(range.start.value - ram.start.value);
    offset += static_cast<int64_t>(ram.size);
  }
  return -1;
}

absl::StatusOr<std::vector<GuestRange>> FileMemory::DataExtents() const {
  std::vector<GuestRange> extents;
  off_t begin = 0;
  for (const GuestRange& range : ranges_) {
    const off_t end = begin + static_cast<off_t>(range.size);
    for (off_t at = begin; at < end;) {
      const off_t data = lseek(fd_.get(), at, SEEK_DATA);
      if (data < 0 && errno != ENXIO) return ErrnoStatus(errno, "SEEK_DATA");
      if (data < 0 || data >= end) break;
      at = std::min<off_t>(lseek(fd_.get(), data, SEEK_HOLE), end);
      extents.push_back(
          {GuestAddr{range.start.value + static_cast<uint64_t>(data - begin)}, static_cast<uint64_t>(at - data)});
    }
    begin = end;
  }
  return extents;
}

absl::Status FileMemory::Read(GuestAddr addr, std::span<uint8_t> out) const {
  const int64_t offset = OffsetOf({addr, out.size()});
  if (offset < 0) return absl::OutOfRangeError("not RAM");
  const ssize_t got = pread(fd_.get(), out.data(), out.size(), offset);
  if (got != static_cast<ssize_t>(out.size())) return ErrnoStatus(got < 0 ? errno : EIO, "pread");
  return absl::OkStatus();
}

std::span<const uint8_t> FileMemory::Lend(GuestRange range) const {
  const int64_t offset = OffsetOf(range);
  if (mapping_ == nullptr || offset < 0) return {};
  return {mapping_ + offset, range.size};
}

}  // namespace vmm
