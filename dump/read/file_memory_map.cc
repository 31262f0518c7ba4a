#include "dump/read/file_memory_map.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

// A file on a disk has one extent for each run of written pages. A hostile file can have one extent per page.
constexpr size_t kMaxExtents = 16 << 20;

uint64_t End(const FilePiece& piece) { return piece.range.start.value + piece.range.size; }

// An address at which one piece begins or ends. Pieces with bytes in the file have the lower ranks.
struct Edge {
  uint64_t at = 0;
  bool begins = false;
  size_t rank = 0;
};

void Append(std::vector<FilePiece>& pieces, const FilePiece& next) {
  if (!pieces.empty()) {
    FilePiece& last = pieces.back();
    const bool touches = End(last) == next.range.start.value;
    const bool both_in_file =
        last.file_size != 0 && next.file_size != 0 && last.offset + last.range.size == next.offset;
    if (touches && (both_in_file || (last.file_size == 0 && next.file_size == 0))) {
      last.range.size += next.range.size;
      last.file_size += next.file_size;
      return;
    }
  }
  pieces.push_back(next);
}

// Adds [begin, end), rounded out to pages, to ascending disjoint ranges.
void AppendPages(std::vector<GuestRange>& ranges, uint64_t begin, uint64_t end) {
  begin = AlignDown(begin, kPageSize);
  end = AlignUp(end, kPageSize);
  if (!ranges.empty() && ranges.back().end().value >= begin) {
    GuestRange& last = ranges.back();
    last.size = std::max(last.end().value, end) - last.start.value;
    return;
  }
  ranges.push_back({GuestAddr{begin}, end - begin});
}

// The parts of `ranges` (in any order) that lie in none of `others` (ascending, disjoint). The result is ascending and
// disjoint.
std::vector<GuestRange> SubtractRanges(std::vector<GuestRange> ranges, std::span<const GuestRange> others) {
  std::ranges::sort(ranges, {}, [](const GuestRange& range) { return range.start.value; });
  std::vector<GuestRange> left;
  uint64_t at = 0;  // everything below is done
  auto other = others.begin();
  for (const GuestRange& range : ranges) {
    const uint64_t end = range.end().value;
    at = std::max(at, range.start.value);
    while (at < end) {
      while (other != others.end() && other->end().value <= at) ++other;
      const uint64_t next = other == others.end() ? end : std::clamp(other->start.value, at, end);
      if (next > at) AppendPages(left, at, next);
      at = next == end || other == others.end() ? end : std::min(end, other->end().value);
    }
  }
  return left;
}

}  // namespace

std::vector<FilePiece> UnionOfPieces(std::span<const FilePiece> pieces) {
  std::vector<Edge> edges;
  const auto add = [&](uint64_t begin, uint64_t end, size_t rank) {
    if (begin == end) return;
    edges.push_back({begin, true, rank});
    edges.push_back({end, false, rank});
  };
  const size_t count = pieces.size();
  for (size_t i = 0; i < count; ++i) {
    const uint64_t start = pieces[i].range.start.value;
    const uint64_t in_file = std::min(pieces[i].file_size, pieces[i].range.size);
    add(start, start + in_file, i);
    add(start + in_file, End(pieces[i]), count + i);
  }
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.at < b.at; });

  std::vector<FilePiece> result;
  std::set<size_t> open;  // ranks of the pieces that hold the current address
  uint64_t at = 0;
  for (const Edge& edge : edges) {
    if (!open.empty() && edge.at != at) {
      const size_t rank = *open.begin();
      const uint64_t size = edge.at - at;
      const GuestRange range{GuestAddr{at}, size};
      if (rank < count) {
        Append(result, {range, pieces[rank].offset + (at - pieces[rank].range.start.value), size});
      } else {
        Append(result, {range, 0, 0});
      }
    }
    at = edge.at;
    if (edge.begins) {
      open.insert(edge.rank);
    } else {
      open.erase(edge.rank);
    }
  }
  return result;
}

FileMemoryMap::FileMemoryMap(std::shared_ptr<const ByteSource> source, std::string path, std::vector<FilePiece> pieces,
                             std::vector<GuestRange> missing)
    : source_(std::move(source)), path_(std::move(path)), pieces_(std::move(pieces)) {
  for (const FilePiece& piece : pieces_) AppendPages(ranges_, piece.range.start.value, End(piece));
  missing_ = SubtractRanges(std::move(missing), ranges_);
}

absl::StatusOr<std::unique_ptr<FileMemoryMap>> FileMemoryMap::Create(const CoreFile& file,
                                                                     std::span<const FilePiece> pieces) {
  return Create(MakeFileSource(file), file.path(), pieces);
}

absl::StatusOr<std::unique_ptr<FileMemoryMap>> FileMemoryMap::Create(std::shared_ptr<const ByteSource> source,
                                                                     const std::string& path,
                                                                     std::span<const FilePiece> pieces) {
  std::vector<FilePiece> inside;
  std::vector<GuestRange> missing;
  for (FilePiece piece : pieces) {
    const uint64_t start = piece.range.start.value;
    const uint64_t available = source->Available(piece.offset, piece.file_size);
    if (available < piece.file_size) {
      // A page that is only partly there is missing. The zeros that p_memsz promises after the data are not.
      const uint64_t there = std::max(start, AlignDown(start + available, kPageSize));
      const uint64_t data_end = AlignUp(start + piece.file_size, kPageSize);
      missing.push_back({GuestAddr{AlignDown(there, kPageSize)}, data_end - AlignDown(there, kPageSize)});
      if (End(piece) > data_end) inside.push_back({{GuestAddr{data_end}, End(piece) - data_end}, 0, 0});
      piece.file_size = piece.range.size = there - start;
    }
    if (piece.range.size != 0) inside.push_back(piece);
  }
  std::vector<FilePiece> all = UnionOfPieces(inside);
  uint64_t total = 0;
  for (const FilePiece& piece : all) {
    if (piece.file_size > source->stored_bytes() - total) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "%s: more RAM than the file has bytes (%d): different addresses share bytes", path, source->stored_bytes()));
    }
    total += piece.file_size;
  }
  return std::unique_ptr<FileMemoryMap>(new FileMemoryMap(std::move(source), path, std::move(all), std::move(missing)));
}

absl::StatusOr<std::vector<GuestRange>> FileMemoryMap::DataExtents() const {
  std::vector<GuestRange> extents;
  for (const FilePiece& piece : pieces_) {
    if (piece.file_size == 0) continue;
    ASSIGN_OR_RETURN(const std::vector<CoreFile::Extent> data,
                     source_->DataExtents({piece.offset, piece.file_size}, kMaxExtents - extents.size()));
    for (const CoreFile::Extent& extent : data) {
      const uint64_t begin = piece.range.start.value + (extent.offset - piece.offset);
      AppendPages(extents, begin, begin + extent.size);
    }
  }
  return extents;
}

absl::Status FileMemoryMap::Read(GuestAddr addr, std::span<uint8_t> out) const {
  const auto ram = std::partition_point(ranges_.begin(), ranges_.end(),
                                        [&](const GuestRange& range) { return range.end() <= addr; });
  if (ram == ranges_.end() || !ram->Contains(GuestRange{addr, out.size()})) {
    const GuestRange wanted{addr, out.size()};
    if (std::ranges::any_of(missing_, [&](const GuestRange& range) { return range.Overlaps(wanted); })) {
      return absl::DataLossError(
          absl::StrFormat("guest-physical %#x..+%#x is missing: %s is cut short", addr.value, out.size(), path_));
    }
    return absl::OutOfRangeError(
        absl::StrFormat("guest-physical %#x..+%#x is not in %s", addr.value, out.size(), path_));
  }
  auto piece =
      std::partition_point(pieces_.begin(), pieces_.end(), [&](const FilePiece& p) { return End(p) <= addr.value; });
  uint64_t at = addr.value;
  while (!out.empty()) {
    uint64_t size = out.size();
    if (piece != pieces_.end() && piece->range.Contains(GuestAddr{at})) {
      const uint64_t inside = at - piece->range.start.value;
      size = std::min(size, piece->range.size - inside);
      if (piece->file_size != 0) {
        RETURN_IF_ERROR(source_->ReadAt(piece->offset + inside, out.first(size)));
      } else {
        std::memset(out.data(), 0, size);
      }
      ++piece;
    } else {  // the rest of a page that is only partly in the file
      if (piece != pieces_.end()) size = std::min(size, piece->range.start.value - at);
      std::memset(out.data(), 0, size);
    }
    out = out.subspan(size);
    at += size;
  }
  return absl::OkStatus();
}

}  // namespace vmm
