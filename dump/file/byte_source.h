// The bytes of a dump file, readable at any offset. The file is either plain, or makedumpfile or QEMU flattened it for
// an output that cannot seek. A flattened file is put back in order on the fly.
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

  // Fills `out` from `offset` on. An error if that passes the end.
  virtual absl::Status ReadAt(uint64_t offset, std::span<uint8_t> out) const = 0;

  // Number of the `size` bytes at `offset` that can be read before the first missing one.
  virtual uint64_t Available(uint64_t offset, uint64_t size) const;

  // The parts of `within` that may hold something other than zeros, ascending. ResourceExhausted if there are more than
  // `max`. All of `within` must be available.
  virtual absl::StatusOr<std::vector<CoreFile::Extent>> DataExtents(CoreFile::Extent within, size_t max) const;

  // Bytes in the file itself: the most that a dump in it can hold.
  virtual uint64_t stored_bytes() const { return size(); }

  // flattened() is true if Unflatten() returned this source. cut_short() is then set if the flattened file was cut
  // short.
  virtual bool flattened() const { return false; }
  virtual std::optional<CutShort> cut_short() const { return std::nullopt; }
};

// Reads `file`, which must outlive the result.
std::unique_ptr<ByteSource> MakeFileSource(const CoreFile& file);

// Reads `bytes`, which are in memory.
std::unique_ptr<ByteSource> MakeStringSource(std::string bytes);

// True iff `source` begins with the flattened form's signature.
bool IsFlattened(const ByteSource& source);

// Returns the file from which `flattened` was made. Reads the header of each of its records. DataLoss if they make no
// sense; ResourceExhausted if there are more than kMaxFlatRecords. If the file is cut short, the result has only the
// bytes that are there. The others are not available: reading them is DataLoss. In a whole file, a gap between records
// reads as zeros.
inline constexpr size_t kMaxFlatRecords = 1 << 20;
absl::StatusOr<std::unique_ptr<ByteSource>> Unflatten(std::shared_ptr<const ByteSource> flattened);

}  // namespace vmm

#endif  // DUMP_FILE_BYTE_SOURCE_H_
