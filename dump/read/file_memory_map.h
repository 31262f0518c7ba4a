// Guest RAM inside a file: which bytes of the file are which physical ones.
#ifndef DUMP_READ_FILE_MEMORY_MAP_H_
#define DUMP_READ_FILE_MEMORY_MAP_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "base/core_file.h"
#include "base/physical_memory.h"

namespace vmm {

// A run of physical bytes; a PT_LOAD, as far as its RAM goes.
struct FilePiece {
  GuestRange range;
  uint64_t offset = 0;     // in the file, of its first byte
  uint64_t file_size = 0;  // bytes in the file; the rest of `range` reads as zeros

  friend bool operator==(const FilePiece&, const FilePiece&) = default;
};

// The union of `pieces`, in any order, as disjoint ascending ones. Where several have an address the
// one that comes first in `pieces` is taken, as crash does it, but bytes of a file before zeros that
// only p_memsz promises. Pieces that go on in the file as they do in memory become one.
// Time n log n. Each range ends below 2^64.
std::vector<FilePiece> UnionOfPieces(std::span<const FilePiece> pieces);

// Reads with pread, and never a hole. A page that is partly in the file is whole, and zero where the
// file has nothing.
class FileMemoryMap final : public PhysicalMemory {
 public:
  // `file` must outlive this. Pieces that end past the file's end are cut off there. InvalidArgument
  // where together they hold more bytes than the file: two addresses for one byte, which no dump has,
  // would make a small file cost the time of a large one.
  static absl::StatusOr<std::unique_ptr<FileMemoryMap>> Create(const CoreFile& file, std::span<const FilePiece> pieces);

  std::vector<GuestRange> Ranges() const override { return ranges_; }
  absl::StatusOr<std::vector<GuestRange>> DataExtents() const override;
  absl::Status Read(GuestAddr addr, std::span<uint8_t> out) const override;

  // The pieces as they are read: disjoint, ascending.
  const std::vector<FilePiece>& pieces() const { return pieces_; }

 private:
  FileMemoryMap(const CoreFile& file, std::vector<FilePiece> pieces);

  const CoreFile& file_;
  std::vector<FilePiece> pieces_;
  std::vector<GuestRange> ranges_;
};

}  // namespace vmm

#endif  // DUMP_READ_FILE_MEMORY_MAP_H_
