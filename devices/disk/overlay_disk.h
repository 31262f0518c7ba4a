// A disk whose changes go elsewhere: copy-on-write in blocks of 4 KiB over a disk that is only read.
#ifndef DEVICES_DISK_OVERLAY_DISK_H_
#define DEVICES_DISK_OVERLAY_DISK_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "devices/disk/block_set.h"
#include "devices/disk/disk_storage.h"
#include "devices/disk/overlay_file.h"
#include "devices/disk/raw_disk.h"

namespace vmm {

class OverlayDisk final : public DiskStorage {
 public:
  // Changes live in memory and end with this object. At most `cap` bytes of it: a write that would need more fails with
  // ResourceExhausted. Discarded and zeroed blocks take none.
  static absl::StatusOr<std::unique_ptr<OverlayDisk>> InMemory(std::unique_ptr<RawDisk> below, uint64_t cap);

  // Changes are kept in the file `path`, and are found there by the next run (OverlayFile::Open). Errors name no path.
  static absl::StatusOr<std::unique_ptr<OverlayDisk>> InFile(std::unique_ptr<RawDisk> below, const std::string& path);

  ~OverlayDisk() override;  // saves the map of a file's overlay

  uint64_t bytes_held() const;  // storage that the changes take, in bytes

  // DiskStorage
  uint64_t size() const override { return below_->size(); }
  bool read_only() const override { return false; }
  absl::Status Read(uint64_t offset, std::span<const iovec> buffers) override;
  absl::Status Write(uint64_t offset, std::span<const iovec> buffers) override;
  absl::Status Flush() override;
  absl::Status Discard(uint64_t offset, uint64_t bytes) override;
  absl::Status Zero(uint64_t offset, uint64_t bytes, bool may_unmap) override;

 private:
  explicit OverlayDisk(std::unique_ptr<RawDisk> below) : below_(std::move(below)) {}

  int fd() const { return file_.has_value() ? file_->fd() : memory_.get(); }
  void Hold(uint64_t block);
  absl::Status CopyUp(uint64_t block);  // the whole block from below, unless it is held
  absl::Status CopyUpEnds(uint64_t offset, uint64_t bytes);
  absl::Status CheckRoom(uint64_t offset, uint64_t bytes) const;
  // Punches whole blocks out of what is held; the map is as before.
  absl::Status GiveBack(uint64_t first, uint64_t end);

  const std::unique_ptr<RawDisk> below_;
  UniqueFd memory_;                  // a memfd of the disk's size, or
  std::optional<OverlayFile> file_;  // a file
  uint64_t cap_ = ~uint64_t{0};
  BlockSet held_;  // blocks that are read from fd()
};

}  // namespace vmm

#endif  // DEVICES_DISK_OVERLAY_DISK_H_
