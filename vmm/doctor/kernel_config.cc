#include "vmm/doctor/kernel_config.h"

#include <algorithm>
#include <vector>

#include "vmm/boot/codecs.h"
#include "vmm/ktap/trim.h"

namespace vmm {
namespace {

constexpr size_t kMostConfig = 4u << 20;

std::string_view AsText(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

KernelConfig::KernelConfig(std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t equals = line.find('=');
    if (!TakeFront(line, "CONFIG_") || equals == std::string_view::npos) continue;
    const size_t name = line.find('=');
    const std::string_view value = line.substr(name + 1);
    if (value == "n") continue;
    values_[std::string(line.substr(0, name))] = value == "m" ? Value::kModule : Value::kYes;
  }
}

KernelConfig::Value KernelConfig::Of(std::string_view option) const {
  const auto found = values_.find(std::string(option));
  return found == values_.end() ? Value::kNo : found->second;
}

std::optional<std::string> FindIkconfig(std::span<const uint8_t> kernel) {
  const size_t start = AsText(kernel).find("IKCFG_ST\x1f\x8b");
  if (start == std::string_view::npos) return std::nullopt;
  const size_t size = AsText(kernel).substr(start).find("IKCFG_ED");
  if (size == std::string_view::npos) return std::nullopt;
  std::vector<uint8_t> text(kMostConfig);
  const auto bytes = Decode(Codec::kGzip, kernel.subspan(start + 8, size - 8), text, DecodeMode::kHead);
  if (!bytes.ok()) return std::nullopt;
  return std::string(AsText(std::span(text).first(*bytes)));
}

std::optional<std::string> FindRelease(std::span<const uint8_t> kernel) {
  std::string_view text = AsText(kernel);
  constexpr std::string_view kWords = "Linux version ";
  for (size_t at = text.find(kWords); at != std::string_view::npos; at = text.find(kWords, at + 1)) {
    const std::string_view rest = text.substr(at + kWords.size(), 64);
    const size_t end = rest.find(' ');
    if (end == std::string_view::npos || !absl::ascii_isdigit(static_cast<unsigned char>(rest.front()))) continue;
    return std::string(rest.substr(0, end));
  }
  return std::nullopt;
}

}  // namespace vmm
