#include "dump/snapshot/vmcoreinfo.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

// __NEW_UTS_LEN (Linux include/uapi/linux/utsname.h).
constexpr size_t kMaxRelease = 64;

bool IsReleaseChar(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         std::string_view("._+~-").find(c) != std::string_view::npos;
}

template <typename T>
std::optional<T> ParseWhole(std::string_view digits, int base) {
  T number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::string Call(std::string_view kind, std::string_view name) { return absl::StrFormat("%s(%s)", kind, name); }

}  // namespace

absl::StatusOr<VmcoreInfo> VmcoreInfo::Parse(std::string text) {
  if (text.size() > kMaxVmcoreInfo) {
    return absl::InvalidArgumentError(
        absl::StrFormat("VMCOREINFO: %d bytes, more than the limit of %d", text.size(), kMaxVmcoreInfo));
  }
  VmcoreInfo info(std::move(text));
  const std::optional<std::string_view> release = info.Value("OSRELEASE");
  if (!release.has_value()) return absl::InvalidArgumentError("VMCOREINFO: no OSRELEASE");
  if (release->empty() || release->size() > kMaxRelease ||
      !std::all_of(release->begin(), release->end(), IsReleaseChar)) {
    return absl::InvalidArgumentError("VMCOREINFO: OSRELEASE is no release name");
  }
  info.release_ = *release;
  return info;
}

// Uses memmem, because its time is linear in the text whatever the guest wrote there.
std::optional<std::string_view> VmcoreInfo::Value(std::string_view key) const {
  const std::string line_start = absl::StrFormat("\n%s=", key);
  const std::string_view text = text_;
  size_t at = 0;
  if (text.starts_with(std::string_view(line_start).substr(1))) {
    at = line_start.size() - 1;
  } else {
    const void* found = memmem(text.data(), text.size(), line_start.data(), line_start.size());
    if (found == nullptr) return std::nullopt;
    at = static_cast<size_t>(static_cast<const char*>(found) - text.data()) + line_start.size();
  }
  return text.substr(at, std::min(text.find('\n', at), text.size()) - at);
}

std::optional<uint64_t> VmcoreInfo::Symbol(std::string_view name) const {
  const auto value = Value(Call("SYMBOL", name));
  return value.has_value() ? ParseWhole<uint64_t>(*value, 16) : std::nullopt;
}

std::optional<int64_t> VmcoreInfo::Number(std::string_view name) const {
  const auto value = Value(Call("NUMBER", name));
  if (!value.has_value()) return std::nullopt;
  if (!value->starts_with("0x")) return ParseWhole<int64_t>(*value, 10);
  const auto bits = ParseWhole<uint64_t>(value->substr(2), 16);
  return bits.has_value() ? std::optional<int64_t>(static_cast<int64_t>(*bits)) : std::nullopt;
}

std::optional<uint64_t> VmcoreInfo::Offset(std::string_view name) const {
  const auto value = Value(Call("OFFSET", name));
  return value.has_value() ? ParseWhole<uint64_t>(*value, 10) : std::nullopt;
}

std::optional<uint64_t> VmcoreInfo::Size(std::string_view name) const {
  const auto value = Value(Call("SIZE", name));
  return value.has_value() ? ParseWhole<uint64_t>(*value, 10) : std::nullopt;
}

std::optional<uint64_t> VmcoreInfo::KernelOffset() const {
  const auto value = Value("KERNELOFFSET");
  return value.has_value() ? ParseWhole<uint64_t>(*value, 16) : std::nullopt;
}

}  // namespace vmm
