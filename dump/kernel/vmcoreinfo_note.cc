#include "dump/kernel/vmcoreinfo_note.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr uint32_t kMinText = 64;

bool StartsWith(std::span<const uint8_t> bytes, std::string_view prefix) {
  return bytes.size() >= prefix.size() && std::memcmp(bytes.data(), prefix.data(), prefix.size()) == 0;
}

}  // namespace

std::optional<uint32_t> ProbeVmcoreInfoNote(std::span<const uint8_t> bytes) {
  uint32_t words[3];  // n_namesz, n_descsz, n_type
  if (bytes.size() < kVmcoreInfoProbeSize) return std::nullopt;
  std::memcpy(words, bytes.data(), sizeof(words));
  if (words[0] != 11 || words[1] < kMinText || words[1] > kMaxVmcoreInfo || words[2] != 0) return std::nullopt;
  if (!StartsWith(bytes.subspan(sizeof(words)), kVmcoreInfoName)) return std::nullopt;
  if (!StartsWith(bytes.subspan(kVmcoreInfoTextOffset), kVmcoreInfoTextStart)) return std::nullopt;
  return words[1];
}

absl::StatusOr<VmcoreInfo> ParseVmcoreInfoNoteOrText(std::span<const uint8_t> bytes) {
  if (const std::optional<uint32_t> size = ProbeVmcoreInfoNote(bytes)) {
    if (*size > bytes.size() - kVmcoreInfoTextOffset) {
      return absl::InvalidArgumentError(
          absl::StrFormat("VMCOREINFO note of %d bytes is cut off after %d", *size, bytes.size()));
    }
    bytes = bytes.subspan(kVmcoreInfoTextOffset, *size);
    return VmcoreInfo::Parse(std::string(bytes.begin(), bytes.end()));
  }
  if (!StartsWith(bytes, kVmcoreInfoTextStart)) {
    return absl::InvalidArgumentError("neither VMCOREINFO's text, which begins with OSRELEASE=, nor a note of it");
  }
  return VmcoreInfo::Parse(std::string(bytes.begin(), std::ranges::find(bytes, 0)));
}

}  // namespace vmm
