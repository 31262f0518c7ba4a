// The file of a lasting overlay: the changed blocks at their own offsets, then a header and a map of them.
//
//   0            size            map_offset        map_offset + 4096
//   | blocks ... | (padding)     | header, 4096    | one bit per block of 4096 bytes; parts of 512 bytes |
//
// map_offset is the disk's size rounded up to 4096. A block without a bit is that of the disk below. Its bytes in this
// file then mean nothing.
#ifndef DEVICES_DISK_OVERLAY_FILE_H_
#define DEVICES_DISK_OVERLAY_FILE_H_

#include <sys/stat.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "devices/disk/block_set.h"

namespace vmm {

inline constexpr uint64_t kOverlayBlock = 4096;  // bytes; what a change copies at least

// Used by one thread at a time.
class OverlayFile {
 public:
  // Opens `path`, or makes it if there is none or it is empty, as the overlay of a disk of `size` bytes whose file is
  // `below`. Locks it for this process alone. Reads the map into `held`. FailedPrecondition if it is an overlay of
  // another disk, or the disk below changed since; InvalidArgument if it is something else, which is never written.
  static absl::StatusOr<OverlayFile> Open(const std::string& path, uint64_t size, const struct stat& below,
                                          BlockSet& held);

  int fd() const { return fd_.get(); }  // still owned by this object

  // Block `block` is now in `held`, which the file does not say yet.
  void Note(uint64_t block) { unsaved_.insert(block / BlockSet::kPartBlocks); }

  // Puts all written blocks on the host's disk, then the map. In this order, because a map that came first would
  // show blocks that a crash of the host has lost, in place of those of the disk below.
  absl::Status Save(const BlockSet& held);

 private:
  OverlayFile(UniqueFd fd, uint64_t map_offset) : fd_(std::move(fd)), map_offset_(map_offset) {}

  UniqueFd fd_;
  uint64_t map_offset_;
  std::set<uint64_t> unsaved_;  // numbers of parts
};

}  // namespace vmm

#endif  // DEVICES_DISK_OVERLAY_FILE_H_
