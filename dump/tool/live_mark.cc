#include "dump/tool/live_mark.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "dump/tool/pretty_json.h"

namespace vmm {

bool IsOfLiveGuest(const Vmcore& core) {
  const VmcoreNote* note = core.FindNote("VMM");
  if (note == nullptr) return false;
  const std::string_view text(reinterpret_cast<const char*>(note->desc.data()), note->desc.size());
  if (!IsModestJson(text)) return false;
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.contains("live") && json["live"].is_object();
}

}  // namespace vmm
