#include "base/json_text.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "base/printable.h"

namespace vmm {
namespace {

using nlohmann::ordered_json;
using ErrorHandler = ordered_json::error_handler_t;

// The second form of `value`. Null if `value` needs none.
ordered_json ExactBytes(const ordered_json& value) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    return IsUtf8(text) ? ordered_json() : ordered_json(absl::Base64Escape(text));
  }
  if (!value.is_array()) return nullptr;
  ordered_json exact = ordered_json::array();
  for (const ordered_json& element : value) exact.push_back(element.is_string() ? ExactBytes(element) : ordered_json());
  const bool none = std::ranges::all_of(exact, [](const ordered_json& element) { return element.is_null(); });
  return none ? ordered_json() : exact;
}

// Recurses as deep as `json` is nested. That is safe because we built `json` ourselves.
void AddExactBytes(ordered_json& json) {
  std::vector<std::pair<std::string, ordered_json>> added;
  for (auto& [name, value] : json.items()) {
    if (value.is_structured()) AddExactBytes(value);
    if (!json.is_object()) continue;
    if (ordered_json exact = ExactBytes(value); !exact.is_null())
      added.emplace_back(name + "_base64", std::move(exact));
  }
  for (auto& [name, value] : added) json[name] = std::move(value);
}

// `json` is valid JSON, so its strings have no C0 characters. Writes the others that may not be shown as \uNNNN, which
// means the same.
std::string WithoutControls(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const bool in_layout = json[0] == '\n';
    size_t length = in_layout ? 1 : PrintableLength(json);
    if (length != 0) {
      out += json.substr(0, length);
    } else {
      const auto lead = static_cast<uint8_t>(json[0]);
      const auto byte = [&](size_t at) { return static_cast<uint32_t>(json[at]) & 0x3f; };
      length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : 3;  // none of them has more bytes
      uint32_t code = lead;
      if (length == 2) code = (lead & 0x1fu) << 6 | byte(1);
      if (length == 3) code = (lead & 0x0fu) << 12 | byte(1) << 6 | byte(2);
      out += absl::StrFormat("\\u%04x", code);
    }
    json.remove_prefix(length);
  }
  return out;
}

}  // namespace

bool IsUtf8(std::string_view text) {
  const std::string kept = ordered_json(text).dump(-1, ' ', /*ensure_ascii=*/false, ErrorHandler::ignore);
  return ordered_json::parse(kept).get_ref<const std::string&>() == text;
}

std::string JsonText(ordered_json json, int indent, JsonCharset charset) {
  AddExactBytes(json);
  std::string text = json.dump(indent, ' ', /*ensure_ascii=*/charset == JsonCharset::kAscii, ErrorHandler::replace);
  return charset == JsonCharset::kAscii ? text : WithoutControls(text);
}

}  // namespace vmm
