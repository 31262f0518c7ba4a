#include "devices/vmport/vmport_state.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr std::string_view kMagic = "VMMVPORT";
constexpr size_t kHeaderSize = kMagic.size() + 4 + 4;
constexpr size_t kCrcSize = 4;

uint32_t Crc(std::string_view bytes) {
  return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

uint64_t LittleEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) value |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  return value;
}

}  // namespace

void StateWriter::Bytes(std::string_view bytes) {
  U32(static_cast<uint32_t>(bytes.size()));
  payload_.append(bytes);
}

void StateWriter::Age(absl::Duration moment, absl::Duration now) {
  U64(static_cast<uint64_t>(absl::ToInt64Nanoseconds(std::max(now - moment, absl::ZeroDuration()))));
}

void StateWriter::Append(uint64_t value, size_t size) {
  for (size_t i = 0; i < size; ++i) payload_.push_back(static_cast<char>(value >> (8 * i)));
}

bool StateReader::Bool(std::string_view what) {
  const uint8_t value = U8();
  Require(value <= 1, what);
  return value == 1;
}

uint32_t StateReader::Count(uint32_t max, std::string_view what) {
  const uint32_t count = U32();
  if (count <= max) return count;
  Require(false, absl::StrFormat("%s: %u, and at most %u are possible", what, count, max));
  return 0;
}

std::string StateReader::Bytes(size_t max, std::string_view what) {
  const uint32_t size = U32();
  if (!Require(size <= max, what) || !Require(size <= rest_.size(), what)) return {};
  std::string bytes(rest_.substr(0, size));
  rest_.remove_prefix(size);
  return bytes;
}

absl::Duration StateReader::Age(absl::Duration now) {
  const uint64_t age = U64();
  if (!Require(age <= uint64_t{std::numeric_limits<int64_t>::max()}, "an age below zero")) return now;
  return now - absl::Nanoseconds(static_cast<int64_t>(age));
}

bool StateReader::Require(bool condition, std::string_view what) {
  if (!condition && status_.ok()) {
    status_ = absl::InvalidArgumentError(absl::StrFormat("vmport state: %s", what));
  }
  return status_.ok();
}

absl::Status StateReader::Finish() {
  Require(rest_.empty(), "more bytes than the state has");
  return status_;
}

uint64_t StateReader::Take(size_t size) {
  if (!Require(size <= rest_.size(), "it ends too early")) return 0;
  const uint64_t value = LittleEndian(rest_.substr(0, size));
  rest_.remove_prefix(size);
  return value;
}

std::string SealState(std::string_view payload) {
  StateWriter header;
  header.U32(kVmportStateVersion);
  header.U32(static_cast<uint32_t>(payload.size()));
  std::string image(kMagic);
  image += header.payload();
  image += payload;
  StateWriter crc;
  crc.U32(Crc(image));
  return image + crc.payload();
}

absl::StatusOr<std::string_view> UnsealState(std::string_view image) {
  if (image.size() < kHeaderSize + kCrcSize || !image.starts_with(kMagic)) {
    return absl::InvalidArgumentError("not a vmport state: it does not begin with VMMVPORT");
  }
  const std::string_view sealed = image.substr(0, image.size() - kCrcSize);
  if (LittleEndian(image.substr(sealed.size())) != Crc(sealed)) {
    return absl::InvalidArgumentError("vmport state: the checksum is wrong; the image was cut or altered");
  }
  const uint64_t version = LittleEndian(sealed.substr(kMagic.size(), 4));
  if (version != kVmportStateVersion) {
    return absl::UnimplementedError(
        absl::StrFormat("vmport state: version %d, and this program knows %d", version, kVmportStateVersion));
  }
  const std::string_view payload = sealed.substr(kHeaderSize);
  if (LittleEndian(sealed.substr(kMagic.size() + 4, 4)) != payload.size()) {
    return absl::InvalidArgumentError("vmport state: its length is not the one that it names");
  }
  return payload;
}

}  // namespace vmm
