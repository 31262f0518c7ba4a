// Reads a file of a machine's memory: a dump, or raw RAM. It is an input file (base/input_file.h) that knows its holes.
// Its errors name its path. It never reads a hole.
#ifndef BASE_CORE_FILE_H_
#define BASE_CORE_FILE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/input_file.h"
#include "base/unique_fd.h"

namespace vmm {

// Any thread may call const methods.
class CoreFile {
 public:
  // Errors name `path`. InvalidArgument as from InputFile. The file may have any size except 0.
  static absl::StatusOr<CoreFile> Open(const std::string& path);

  // Takes `fd`, open for reading; `path` is only for messages.
  static absl::StatusOr<CoreFile> Take(UniqueFd fd, std::string path);

  const std::string& path() const { return path_; }

  // In bytes, when the file was opened.
  uint64_t size() const { return file_.size(); }

  // Bytes that have blocks on the disk.
  uint64_t allocated() const { return file_.allocated(); }

  // Fills `out` from `offset` on. DataLoss if the file ends before.
  absl::Status ReadAt(uint64_t offset, std::span<uint8_t> out) const;

  struct Extent {
    uint64_t offset = 0;
    uint64_t size = 0;
  };
  // The parts of `within` that are not holes (SEEK_DATA), in ascending order. ResourceExhausted if there are more than
  // `max` of them. `within` must lie inside the file.
  absl::StatusOr<std::vector<Extent>> DataExtents(Extent within, size_t max) const;

 private:
  CoreFile(InputFile file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  InputFile file_;
  std::string path_;
};

}  // namespace vmm

#endif  // BASE_CORE_FILE_H_
