// preadv, pwritev and fallocate, until all is done.
#ifndef DEVICES_DISK_FILE_IO_H_
#define DEVICES_DISK_FILE_IO_H_

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"

namespace vmm {

// Any thread may call these. A Status carries the code of errno, so ENOSPC is ResourceExhausted.

// Fills all the buffers from `offset` on. DataLoss if the file ends before.
absl::Status ReadAllAt(int fd, uint64_t offset, std::vector<iovec> buffers);

absl::Status WriteAllAt(int fd, uint64_t offset, std::vector<iovec> buffers);

// Makes the range read as zeros and gives its storage back. Unimplemented if the file system cannot.
absl::Status PunchHole(int fd, uint64_t offset, uint64_t bytes);

// Makes the range read as zeros and keeps its storage: by fallocate, or by writing if the file system cannot.
absl::Status WriteZeros(int fd, uint64_t offset, uint64_t bytes);

// Removes the first `bytes` from the front of `buffers` and returns them. `buffers` must hold that many.
std::vector<iovec> TakeFront(std::vector<iovec>& buffers, uint64_t bytes);

}  // namespace vmm

#endif  // DEVICES_DISK_FILE_IO_H_
