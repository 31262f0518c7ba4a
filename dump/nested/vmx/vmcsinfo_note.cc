#include "dump/nested/vmx/vmcsinfo_note.h"

#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr size_t kRevisionSize = sizeof(uint32_t);
constexpr size_t kEntrySize = sizeof(uint32_t) + sizeof(uint64_t);  // packed

// Bytes of the field that `encoding` names, by its width.
int SizeOf(uint32_t encoding) {
  constexpr int kSizes[] = {2, 8, 4, 8};
  return kSizes[encoding >> 13 & 3];
}

// Bits 31:15 and 12 are reserved. Bit 0 marks upper halves, which have no place of their own here.
bool IsEncoding(uint32_t encoding) { return (encoding & ~0x6ffeu) == 0; }

uint16_t Word(uint64_t encoded, int index) { return static_cast<uint16_t>(encoded >> 16 * index); }

template <typename T>
T Load(std::span<const uint8_t> bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

template <typename T>
void Append(std::string* out, T value) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

}  // namespace

uint64_t EncodeVmcsOffset(uint16_t offset, int size) {
  uint64_t encoded = 0;
  for (int i = 0; i < size / 2; ++i) encoded |= static_cast<uint64_t>(offset + 2 * i) << 16 * i;
  return encoded;
}

std::string MakeVmcsInfoNote(Vmcs12Layout layout) {
  std::string desc;
  Append<uint32_t>(&desc, kVmcs12Revision);
  for (const VmcsField& field : Vmcs12Fields()) {
    if (field.since > layout) continue;
    Append<uint32_t>(&desc, field.encoding);
    Append<uint64_t>(&desc, EncodeVmcsOffset(field.offset, field.size));
  }
  return desc;
}

absl::StatusOr<VmcsInfo> VmcsInfo::Parse(std::span<const uint8_t> desc) {
  if (desc.size() < kRevisionSize || (desc.size() - kRevisionSize) % kEntrySize != 0) {
    return absl::InvalidArgumentError(
        absl::StrFormat("VMCSINFO: %d bytes are not a revision and entries of %d", desc.size(), kEntrySize));
  }
  const size_t count = (desc.size() - kRevisionSize) / kEntrySize;
  if (count > kMaxFields) {
    return absl::InvalidArgumentError(absl::StrFormat("VMCSINFO: %d fields, more than %d", count, kMaxFields));
  }
  VmcsInfo info;
  info.revision_ = Load<uint32_t>(desc, 0);
  for (size_t at = kRevisionSize; at < desc.size(); at += kEntrySize) {
    const auto encoding = Load<uint32_t>(desc, at);
    const auto encoded = Load<uint64_t>(desc, at + sizeof(encoding));
    if (!IsEncoding(encoding)) return absl::InvalidArgumentError(absl::StrFormat("VMCSINFO: field 0x%x", encoding));
    const int words = SizeOf(encoding) / 2;
    for (int i = 0; i < 4; ++i) {
      const uint16_t word = Word(encoded, i);
      const bool good = i < words ? word % 2 == 0 && word <= kVmcs12PageSize - 2 : word == 0;
      if (!good) {
        return absl::InvalidArgumentError(absl::StrFormat("VMCSINFO: field 0x%04x at 0x%x", encoding, encoded));
      }
    }
    if (!info.encoded_.emplace(encoding, encoded).second) {
      return absl::InvalidArgumentError(absl::StrFormat("VMCSINFO: field 0x%04x comes twice", encoding));
    }
  }
  return info;
}

std::optional<uint16_t> VmcsInfo::Offset(uint32_t encoding) const {
  const auto found = encoded_.find(encoding);
  if (found == encoded_.end()) return std::nullopt;
  const uint16_t offset = Word(found->second, 0);
  if (found->second != EncodeVmcsOffset(offset, SizeOf(encoding))) return std::nullopt;
  return offset;
}

std::optional<uint64_t> VmcsInfo::Read(Vmcs12Page page, uint32_t encoding) const {
  const auto found = encoded_.find(encoding);
  if (found == encoded_.end()) return std::nullopt;
  uint64_t value = 0;
  for (int i = 0; i < SizeOf(encoding) / 2; ++i) {
    value |= static_cast<uint64_t>(Load<uint16_t>(page, Word(found->second, i))) << 16 * i;
  }
  return value;
}

}  // namespace vmm
