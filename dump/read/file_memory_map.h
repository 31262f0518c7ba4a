// Guest RAM inside a file: maps physical addresses to the file's bytes.
#ifndef DUMP_READ_FILE_MEMORY_MAP_H_
#define DUMP_READ_FILE_MEMORY_MAP_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "base/core_file.h"
#include "base/physical_memory.h"
#include "dump/file/byte_source.h"

namespace vmm {

// A run of physical bytes, such as the RAM of a PT_LOAD.
struct FilePiece {
  GuestRange range;
  uint64_t offset = 0;     // of its first byte in the file
  uint64_t file_size = 0;  // bytes in the file; the rest of `range` reads as zeros

  friend bool operator==(const FilePiece&, const FilePiece&) = default;
};

// The union of `pieces`, given in any order, as disjoint ascending pieces. If several pieces hold an address, the first
// in `pieces` wins, as in crash. But bytes of the file always win over zeros that only p_memsz promises. Pieces that
// are adjacent both in memory and in the file become one. Takes n log n time. Requires that each range ends below 2^64.
std::vector<FilePiece> UnionOfPieces(std::span<const FilePiece> pieces);

// Reads with pread, and never a hole. A page that is only partly in the file counts as whole; the rest of it is zero.
class FileMemoryMap final : public PhysicalMemory {
 public:
  // `path` is for messages. A page is Missing() if the file lacks any byte of it that its piece promises.
  // InvalidArgument if the pieces together hold more bytes than the file. Two addresses would then share one byte,
  // which no dump has, and a small file would cost the time of a large one.
  static absl::StatusOr<std::unique_ptr<FileMemoryMap>> Create(std::shared_ptr<const ByteSource> source,
                                                               const std::string& path,
                                                               std::span<const FilePiece> pieces);

  // The same for a plain file, which must outlive the result.
  static absl::StatusOr<std::unique_ptr<FileMemoryMap>> Create(const CoreFile& file, std::span<const FilePiece> pieces);

  // RAM that should be in the file but is not, because the file is cut short: ascending, disjoint, page-aligned, not in
  // Ranges(). Reading it is DataLoss.
  const std::vector<GuestRange>& Missing() const { return missing_; }

  std::vector<GuestRange> Ranges() const override { return ranges_; }
  absl::StatusOr<std::vector<GuestRange>> DataExtents() const override;
  absl::Status Read(GuestAddr addr, std::span<uint8_t> out) const override;

  // The pieces from which it reads: disjoint, ascending.
  const std::vector<FilePiece>& pieces() const { return pieces_; }

 private:
  FileMemoryMap(std::shared_ptr<const ByteSource> source, std::string path, std::vector<FilePiece> pieces,
                std::vector<GuestRange> missing);

  const std::shared_ptr<const ByteSource> source_;
  const std::string path_;
  std::vector<FilePiece> pieces_;
  std::vector<GuestRange> ranges_;
  std::vector<GuestRange> missing_;
};

}  // namespace vmm

#endif  // DUMP_READ_FILE_MEMORY_MAP_H_
