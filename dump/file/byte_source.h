// The bytes of a dump file, read at any place: a plain file, or one that makedumpfile or QEMU
// flattened for an output that cannot seek, put back in order on the fly.
#ifndef DUMP_FILE_BYTE_SOURCE_H_
#define DUMP_FILE_BYTE_SOURCE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/core_file.h"
#include "dump/file/cut_short.h"

namespace vmm {

// Any thread may call.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  virtual uint64_t size() const = 0;

  // Fills `out` from `offset` on. An error where that passes the end.
  virtual absl::Status ReadAt(uint64_t offset, std::span<uint8_t> out) const = 0;

  // How many of the `size` bytes at `offset` can be read before one that is missing.
  virtual uint64_t Available(uint64_t offset, uint64_t size) const;

  // The parts of `within` that may hold something other than zeros, ascending. More than `max` of them are
  // ResourceExhausted. `within` is available.
  virtual absl::StatusOr<std::vector<CoreFile::Extent>> DataExtents(CoreFile::Extent within, size_t max) const;

  // Bytes in the file itself: what a dump in it can hold at most.
  virtual uint64_t stored_bytes() const { return size(); }

  // True for one that Unflatten() returned, and whether the file that it was made from was cut short.
  virtual bool flattened() const { return false; }
  virtual std::optional<CutShort> cut_short() const { return std::nullopt; }
};

// A file, which must outlive the result.
std::unique_ptr<ByteSource> MakeFileSource(const CoreFile& file);

// Bytes in memory.
std::unique_ptr<ByteSource> MakeStringSource(std::string bytes);

// True iff `source` begins with the flattened form's signature.
bool IsFlattened(const ByteSource& source);

// What `flattened` was made from. Reads the header of each of its records. DataLoss where they make
// no sense; ResourceExhausted where there are more than kMaxFlatRecords. Of a file that is cut short the
// result has the bytes that are there. The others are not available: reading them is DataLoss, while a
// gap between the records of a whole file reads as zeros.
inline constexpr size_t kMaxFlatRecords = 1 << 20;
absl::StatusOr<std::unique_ptr<ByteSource>> Unflatten(std::shared_ptr<const ByteSource> flattened);

}  // namespace vmm

#endif  // DUMP_FILE_BYTE_SOURCE_H_
