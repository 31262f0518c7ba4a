// A disk in a raw file or block device of the host. Its bytes are the disk's bytes: no format is ever guessed, so a
// guest cannot write a header that makes us open other files later.
#ifndef DEVICES_DISK_RAW_DISK_H_
#define DEVICES_DISK_RAW_DISK_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "devices/disk/disk_storage.h"

namespace vmm {

class RawDisk final : public DiskStorage {
 public:
  enum class Access { kReadWrite, kReadOnly };

  // Opens `path`, a regular file or a block device of 512 bytes or more, a multiple of 512. Locks it as a whole until
  // this object is gone: readers share it, a writer has it alone. FailedPrecondition if another process has it, with
  // the remedy. Errors do not name the path; the caller adds it. A file system without locks is used without one.
  static absl::StatusOr<std::unique_ptr<RawDisk>> Open(const std::string& path, Access access);

  int fd() const { return fd_.get(); }  // still owned by this object

  // DiskStorage
  uint64_t size() const override { return size_; }
  bool read_only() const override { return access_ == Access::kReadOnly; }
  absl::Status Read(uint64_t offset, std::span<const iovec> buffers) override;
  absl::Status Write(uint64_t offset, std::span<const iovec> buffers) override;
  absl::Status Flush() override;
  absl::Status Discard(uint64_t offset, uint64_t bytes) override;
  absl::Status Zero(uint64_t offset, uint64_t bytes, bool may_unmap) override;

 private:
  RawDisk(UniqueFd fd, uint64_t size, Access access) : fd_(std::move(fd)), size_(size), access_(access) {}

  const UniqueFd fd_;
  const uint64_t size_;
  const Access access_;
};

// Takes a lock on all of `fd` that ends when its last duplicate is closed: `exclusive` or shared. FailedPrecondition if
// another process has one that excludes it. OK without a lock if the file system has none.
absl::Status LockDisk(int fd, bool exclusive);

}  // namespace vmm

#endif  // DEVICES_DISK_RAW_DISK_H_
