#include "dump/file/byte_source.h"

#include <endian.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "absl/strings/str_format.h"
#include "base/guest_addr.h"
#include "base/status.h"
#include "dump/abi/kdump_abi.h"

namespace vmm {
namespace {

absl::Status PastTheEnd(uint64_t offset, uint64_t size, uint64_t end) {
  return absl::OutOfRangeError(
      absl::StrFormat("%d bytes at offset %d are past the file's end at %d", size, offset, end));
}

bool Fits(uint64_t offset, uint64_t size, uint64_t end) { return offset <= end && size <= end - offset; }

class FileSource final : public ByteSource {
 public:
  explicit FileSource(const CoreFile& file) : file_(file) {}

  uint64_t size() const override { return file_.size(); }
  absl::Status ReadAt(uint64_t offset, std::span<uint8_t> out) const override { return file_.ReadAt(offset, out); }
  absl::StatusOr<std::vector<CoreFile::Extent>> DataExtents(CoreFile::Extent within, size_t max) const override {
    return file_.DataExtents(within, max);
  }

 private:
  const CoreFile& file_;
};

class StringSource final : public ByteSource {
 public:
  explicit StringSource(std::string bytes) : bytes_(std::move(bytes)) {}

  uint64_t size() const override { return bytes_.size(); }

  absl::Status ReadAt(uint64_t offset, std::span<uint8_t> out) const override {
    if (!Fits(offset, out.size(), bytes_.size())) return PastTheEnd(offset, out.size(), bytes_.size());
    if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return absl::OkStatus();
  }

 private:
  const std::string bytes_;
};

class UnflattenedSource final : public ByteSource {
 public:
  explicit UnflattenedSource(std::shared_ptr<const ByteSource> flattened) : flattened_(std::move(flattened)) {}

  absl::Status ReadRecords() {
    const uint64_t file_end = flattened_->size();
    uint64_t at = kFlatHeaderSize;
    while (true) {
      FlatRecord record;
      if (!Fits(at, sizeof(record), file_end)) {
        cut_short_ = CutShort{absl::StrFormat("it has no end record, the file ends at %d", file_end), {}};
        return absl::OkStatus();
      }
      RETURN_IF_ERROR(Annotate(flattened_->ReadAt(at, {reinterpret_cast<uint8_t*>(&record), sizeof(record)}),
                               "flattened file, record header"));
      const uint64_t offset = be64toh(record.offset);
      uint64_t size = be64toh(record.size);
      if (offset == ~0ull) return absl::OkStatus();
      at += sizeof(record);
      if (size == 0 || size >> 62 != 0 || offset >> 62 != 0) {
        return absl::DataLossError(
            absl::StrFormat("flattened file: the record before offset %d has offset %#x, size %#x", at, offset, size));
      }
      if (size > file_end - at) {
        cut_short_ = CutShort{
            absl::StrFormat("its last record should reach byte %d, the file ends at %d", at + size, file_end), {}};
        size = file_end - at;
        if (size == 0) return absl::OkStatus();
      }
      Put(offset, size, at);
      stored_bytes_ += size;
      if (cut_short_.has_value()) return absl::OkStatus();
      if (pieces_.size() > kMaxFlatRecords) {
        return absl::ResourceExhaustedError(
            absl::StrFormat("flattened file: more than %d records; makedumpfile -R puts it in order", kMaxFlatRecords));
      }
      at += size;
    }
  }

  uint64_t size() const override { return size_; }
  uint64_t stored_bytes() const override { return stored_bytes_; }
  bool flattened() const override { return true; }
  std::optional<CutShort> cut_short() const override { return cut_short_; }

  uint64_t Available(uint64_t offset, uint64_t size) const override {
    if (!cut_short_.has_value()) return ByteSource::Available(offset, size);
    uint64_t at = offset;
    auto piece = pieces_.upper_bound(offset);
    if (piece != pieces_.begin()) --piece;
    for (; piece != pieces_.end() && piece->first <= at && at - offset < size; ++piece) {
      at = std::max(at, piece->first + piece->second.size);
    }
    return std::min(size, at - offset);
  }

  absl::StatusOr<std::vector<CoreFile::Extent>> DataExtents(CoreFile::Extent within, size_t max) const override {
    std::vector<CoreFile::Extent> extents;
    const uint64_t end = within.offset + within.size;
    auto piece = pieces_.upper_bound(within.offset);
    if (piece != pieces_.begin()) --piece;
    for (; piece != pieces_.end() && piece->first < end; ++piece) {
      const uint64_t first = std::max(within.offset, piece->first);
      const uint64_t last = std::min(end, piece->first + piece->second.size);
      if (first >= last) continue;
      if (!extents.empty() && extents.back().offset + extents.back().size == first) {
        extents.back().size += last - first;
        continue;
      }
      if (extents.size() >= max) return absl::ResourceExhaustedError(absl::StrFormat("more than %d extents", max));
      extents.push_back({first, last - first});
    }
    return extents;
  }

  absl::Status ReadAt(uint64_t offset, std::span<uint8_t> out) const override {
    if (!Fits(offset, out.size(), size_)) return PastTheEnd(offset, out.size(), size_);
    if (cut_short_.has_value() && Available(offset, out.size()) < out.size()) {
      return absl::DataLossError(
          absl::StrFormat("%d bytes at offset %d are not in a flattened file that is cut short", out.size(), offset));
    }
    std::fill(out.begin(), out.end(), 0);
    const uint64_t end = offset + out.size();
    auto piece = pieces_.upper_bound(offset);
    if (piece != pieces_.begin()) --piece;
    for (; piece != pieces_.end() && piece->first < end; ++piece) {
      const uint64_t first = std::max(offset, piece->first);
      const uint64_t last = std::min(end, piece->first + piece->second.size);
      if (first >= last) continue;
      RETURN_IF_ERROR(flattened_->ReadAt(piece->second.position + (first - piece->first),
                                         out.subspan(first - offset, last - first)));
    }
    return absl::OkStatus();
  }

 private:
  struct Piece {
    uint64_t size = 0;
    uint64_t position = 0;  // in the flattened file
  };

  // A later record replaces earlier ones, so pieces never overlap.
  void Put(uint64_t offset, uint64_t size, uint64_t position) {
    const uint64_t end = offset + size;
    size_ = std::max(size_, end);
    auto next = pieces_.lower_bound(offset);
    if (next != pieces_.begin()) {
      auto& [start, before] = *std::prev(next);
      const uint64_t before_end = start + before.size;
      if (before_end > end) pieces_[end] = {before_end - end, before.position + (end - start)};
      if (before_end > offset) before.size = offset - start;
    }
    while (next != pieces_.end() && next->first < end) {
      const auto [start, old] = *next;
      next = pieces_.erase(next);
      if (start + old.size > end) pieces_[end] = {start + old.size - end, old.position + (end - start)};
    }
    pieces_[offset] = {size, position};
  }

  const std::shared_ptr<const ByteSource> flattened_;
  std::map<uint64_t, Piece> pieces_;  // by offset
  uint64_t size_ = 0;
  uint64_t stored_bytes_ = 0;
  std::optional<CutShort> cut_short_;
};

}  // namespace

uint64_t ByteSource::Available(uint64_t offset, uint64_t size) const {
  return offset < this->size() ? std::min(size, this->size() - offset) : 0;
}

absl::StatusOr<std::vector<CoreFile::Extent>> ByteSource::DataExtents(CoreFile::Extent within, size_t max) const {
  if (within.size == 0) return std::vector<CoreFile::Extent>{};
  if (max == 0) return absl::ResourceExhaustedError("more than 0 extents");
  return std::vector<CoreFile::Extent>{within};
}

std::unique_ptr<ByteSource> MakeFileSource(const CoreFile& file) { return std::make_unique<FileSource>(file); }

std::unique_ptr<ByteSource> MakeStringSource(std::string bytes) {
  return std::make_unique<StringSource>(std::move(bytes));
}

bool IsFlattened(const ByteSource& source) {
  char signature[sizeof(kFlatSignature)] = {};
  return source.ReadAt(0, {reinterpret_cast<uint8_t*>(signature), sizeof(signature)}).ok() &&
         std::memcmp(signature, kFlatSignature, sizeof(signature)) == 0;
}

absl::StatusOr<std::unique_ptr<ByteSource>> Unflatten(std::shared_ptr<const ByteSource> flattened) {
  auto source = std::make_unique<UnflattenedSource>(std::move(flattened));
  RETURN_IF_ERROR(source->ReadRecords());
  return std::unique_ptr<ByteSource>(std::move(source));
}

}  // namespace vmm
