// Writes an initramfs: a cpio archive of the "newc" kind, which the kernel unpacks by itself.
#ifndef VMM_HARNESS_CPIO_WRITER_H_
#define VMM_HARNESS_CPIO_WRITER_H_

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/input_file.h"
#include "base/unique_fd.h"

namespace vmm {

// Keeps the archive in an anonymous file (memfd), not in our heap. One thread uses it. Paths are absolute, without "."
// or ".." or double slashes; folders above an entry are made by themselves. All entries belong to root.
class CpioWriter {
 public:
  // An archive may have this many bytes. The kernel takes no initrd from 4 GiB on, and the guest needs the memory
  // twice.
  static constexpr uint64_t kMaxArchive = 2ull << 30;

  static absl::StatusOr<CpioWriter> Create();

  // `mode`: permission bits. A path that is there already is an error (AlreadyExists), except a folder's.
  absl::Status AddFolder(std::string_view path, uint32_t mode = 0755);
  absl::Status AddBytes(std::string_view path, std::span<const uint8_t> bytes, uint32_t mode);
  absl::Status AddFile(std::string_view path, const InputFile& file, uint32_t mode);
  absl::Status AddLink(std::string_view path, std::string_view target);
  absl::Status AddDevice(std::string_view path, uint32_t major, uint32_t minor, uint32_t mode);

  // True if something other than a folder is at `path`.
  bool Has(std::string_view path) const {
    return paths_.contains(std::string(path)) && !folders_.contains(std::string(path));
  }
  uint64_t size() const { return size_; }  // in bytes, so far

  // Writes the end mark and returns the archive. Nothing may be added afterwards.
  absl::StatusOr<InputFile> Finish();

 private:
  struct Entry {
    uint32_t mode = 0;  // file type included
    uint64_t size = 0;
    uint32_t major = 0;
    uint32_t minor = 0;
  };

  explicit CpioWriter(UniqueFd fd) : fd_(std::move(fd)) {}

  absl::Status Begin(std::string_view path, const Entry& entry);  // adds the folders above, then the header
  absl::Status Header(std::string_view name, const Entry& entry);
  absl::Status Write(std::span<const uint8_t> bytes);
  absl::Status Pad(uint64_t alignment);

  UniqueFd fd_;
  uint64_t size_ = 0;
  uint32_t next_inode_ = 1;
  std::set<std::string> paths_;
  std::set<std::string> folders_;
};

}  // namespace vmm

#endif  // VMM_HARNESS_CPIO_WRITER_H_
