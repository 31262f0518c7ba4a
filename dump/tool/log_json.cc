#include "dump/tool/log_json.h"

namespace vmm {

nlohmann::ordered_json LogJson(std::span<const LogRecord> log) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const LogRecord& record : log) {
    nlohmann::ordered_json& object = json.emplace_back();
    object["sequence"] = record.sequence;
    object["time_ns"] = record.time_ns;
    object["facility"] = record.facility;
    object["level"] = record.level;
    if (record.caller.has_value()) object["caller"] = *record.caller;
    object["text"] = record.text;
  }
  return json;
}

}  // namespace vmm
