// The bytes of a guest's disk, wherever they are kept. RawDisk and OverlayDisk are its two forms.
#ifndef DEVICES_DISK_DISK_STORAGE_H_
#define DEVICES_DISK_DISK_STORAGE_H_

#include <sys/uio.h>

#include <cstdint>
#include <span>

#include "absl/status/status.h"

namespace vmm {

inline constexpr uint64_t kSectorSize = 512;  // bytes

// Offsets and lengths are in bytes, multiples of kSectorSize, and inside size(); the caller has checked that. A buffer
// may be guest RAM, so its bytes may change during a call. Calls block for as long as the host's disk takes.
//
// Used by one thread at a time, but for size() and read_only(), which any thread may call.
class DiskStorage {
 public:
  virtual ~DiskStorage() = default;

  virtual uint64_t size() const = 0;  // fixed
  virtual bool read_only() const = 0;

  // After an error the buffers hold anything, and so does the range on the disk.
  virtual absl::Status Read(uint64_t offset, std::span<const iovec> buffers) = 0;
  virtual absl::Status Write(uint64_t offset, std::span<const iovec> buffers) = 0;

  // Whatever was written before is on the host's disk after it.
  virtual absl::Status Flush() = 0;

  // The guest no longer needs the range. It may give storage back. The range then reads as what it was, or as zeros.
  virtual absl::Status Discard(uint64_t offset, uint64_t bytes) = 0;

  // The range reads as zeros afterwards. `may_unmap`: its storage may be given back.
  virtual absl::Status Zero(uint64_t offset, uint64_t bytes, bool may_unmap) = 0;
};

}  // namespace vmm

#endif  // DEVICES_DISK_DISK_STORAGE_H_
