#include "dump/tool/pretty_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "dump/tool/printable.h"

namespace vmm {
namespace {

constexpr size_t kMaxText = 1 << 20;
constexpr ptrdiff_t kMaxBrackets = 1000;

}  // namespace

bool IsModestJson(std::string_view text) {
  return text.size() <= kMaxText &&
         std::count_if(text.begin(), text.end(), [](char c) { return c == '[' || c == '{'; }) <= kMaxBrackets &&
         nlohmann::json::accept(text);
}

std::string PrettyJson(std::string_view text) {
  if (!IsModestJson(text)) return Printable(text.substr(0, kMaxText), "\n");
  return nlohmann::ordered_json::parse(text).dump(2, ' ', /*ensure_ascii=*/true);
}

}  // namespace vmm
