#include "dump/kdump/byte_source.h"

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
  explicit UnflattenedSource(std::unique_ptr<ByteSource> flattened) : flattened_(std::move(flattened)) {}

  absl::Status ReadRecords() {
    uint64_t at = kFlatHeaderSize;
    while (true) {
      FlatRecord record;
      RETURN_IF_ERROR(Annotate(flattened_->ReadAt(at, {reinterpret_cast<uint8_t*>(&record), sizeof(record)}),
                               "flattened file, record header"));
      const uint64_t offset = be64toh(record.offset), size = be64toh(record.size);
      if (offset == ~0ull) return absl::OkStatus();
      at += sizeof(record);
      if (size == 0 || !Fits(at, size, flattened_->size()) || offset >> 62 != 0) {
        return absl::DataLossError(
            absl::StrFormat("flattened file: the record before offset %d has offset %#x, size %#x", at, offset, size));
      }
      Put(offset, size, at);
      if (pieces_.size() > kMaxFlatRecords) {
        return absl::ResourceExhaustedError(
            absl::StrFormat("flattened file: more than %d records; makedumpfile -R puts it in order", kMaxFlatRecords));
      }
      at += size;
    }
  }

  uint64_t size() const override { return size_; }

  absl::Status ReadAt(uint64_t offset, std::span<uint8_t> out) const override {
    if (!Fits(offset, out.size(), size_)) return PastTheEnd(offset, out.size(), size_);
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

  // What a later record writes stands, so pieces never overlap.
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

  std::unique_ptr<ByteSource> flattened_;
  std::map<uint64_t, Piece> pieces_;  // by offset
  uint64_t size_ = 0;
};

}  // namespace

std::unique_ptr<ByteSource> MakeFileSource(const CoreFile& file) { return std::make_unique<FileSource>(file); }

std::unique_ptr<ByteSource> MakeStringSource(std::string bytes) {
  return std::make_unique<StringSource>(std::move(bytes));
}

bool IsFlattened(const ByteSource& source) {
  char signature[sizeof(kFlatSignature)] = {};
  return source.ReadAt(0, {reinterpret_cast<uint8_t*>(signature), sizeof(signature)}).ok() &&
         std::memcmp(signature, kFlatSignature, sizeof(signature)) == 0;
}

absl::StatusOr<std::unique_ptr<ByteSource>> Unflatten(std::unique_ptr<ByteSource> flattened) {
  auto source = std::make_unique<UnflattenedSource>(std::move(flattened));
  RETURN_IF_ERROR(source->ReadRecords());
  return std::unique_ptr<ByteSource>(std::move(source));
}

}  // namespace vmm
