// The bytes of a dump file, read at any place: a plain file, or one that makedumpfile or QEMU
// flattened for an output that cannot seek, put back in order on the fly.
#ifndef DUMP_KDUMP_BYTE_SOURCE_H_
#define DUMP_KDUMP_BYTE_SOURCE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "base/core_file.h"

namespace vmm {

// Any thread may call.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  virtual uint64_t size() const = 0;

  // Fills `out` from `offset` on. An error where that passes the end.
  virtual absl::Status ReadAt(uint64_t offset, std::span<uint8_t> out) const = 0;
};

// A file, which must outlive the result.
std::unique_ptr<ByteSource> MakeFileSource(const CoreFile& file);

// Bytes in memory.
std::unique_ptr<ByteSource> MakeStringSource(std::string bytes);

// True iff `source` begins with the flattened form's signature.
bool IsFlattened(const ByteSource& source);

// What `flattened` was made from. Reads the header of each of its records. DataLoss where they make
// no sense or the end record is missing; ResourceExhausted where there are more than kMaxFlatRecords.
inline constexpr size_t kMaxFlatRecords = 1 << 20;
absl::StatusOr<std::unique_ptr<ByteSource>> Unflatten(std::unique_ptr<ByteSource> flattened);

}  // namespace vmm

#endif  // DUMP_KDUMP_BYTE_SOURCE_H_
