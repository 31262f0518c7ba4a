// Guest RAM in a plain, sparse file, in the layout of QEMU's memory-backend-file.
#ifndef DUMP_TESTING_FILE_MEMORY_H_
#define DUMP_TESTING_FILE_MEMORY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/physical_memory.h"
#include "base/unique_fd.h"

namespace vmm {

class FileMemory final : public PhysicalMemory {
 public:
  // `ranges` lie in the file one after the other. If `lend` is true, the file is mapped too.
  static absl::StatusOr<std::unique_ptr<FileMemory>> Open(const std::string& path, std::vector<GuestRange> ranges,
                                                          bool lend);
  ~FileMemory() override;

  std::vector<GuestRange> Ranges() const override { return ranges_; }
  absl::StatusOr<std::vector<GuestRange>> DataExtents() const override;
  absl::Status Read(GuestAddr addr, std::span<uint8_t> out) const override;
  std::span<const uint8_t> Lend(GuestRange range) const override;

 private:
  FileMemory(UniqueFd fd, std::vector<GuestRange> ranges) : fd_(std::move(fd)), ranges_(std::move(ranges)) {}

  // The file offset of `range`. -1: it is not RAM.
  int64_t OffsetOf(GuestRange range) const;

  UniqueFd fd_;
  std::vector<GuestRange> ranges_;
  uint8_t* mapping_ = nullptr;
  uint64_t size_ = 0;
};

}  // namespace vmm

#endif  // DUMP_TESTING_FILE_MEMORY_H_
