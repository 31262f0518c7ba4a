#include "vmm/outcome/live_dump_json.h"

#include <utility>

#include "base/json_text.h"
#include "base/version.h"

namespace vmm {
namespace {

using nlohmann::ordered_json;

constexpr int kNoteSchemaVersion = 1;

ordered_json OrNull(const std::string& text) { return text.empty() ? ordered_json(nullptr) : ordered_json(text); }

// The part that is known before the dump is written.
ordered_json BeginJson(const LiveDump& dump) {
  return {{"why", std::string(dump.why)},
          {"method", dump.flip ? "flip" : "stop"},
          {"why_no_flip", OrNull(dump.why_no_flip)},
          {"at_seconds", absl::ToDoubleSeconds(dump.at)}};
}

ordered_json DumpJson(const LiveDump& dump) {
  ordered_json json = BeginJson(dump);
  json["pause_seconds"] = absl::ToDoubleSeconds(dump.pause);
  if (dump.flip) {
    json["merge_pause_seconds"] = absl::ToDoubleSeconds(dump.merge);
    json["merged_bytes"] = dump.merged_bytes;
    json["merge_error"] = OrNull(dump.merge_error);
  }
  json["seconds"] = absl::ToDoubleSeconds(dump.took);
  if (!dump.dump.has_value()) {
    json["error"] = std::string(dump.error.message());
    return json;
  }
  json["path"] = dump.dump->path;
  json["format"] = NameOf(dump.dump->format);
  json["level"] = dump.dump->level;
  json["file_bytes"] = dump.dump->file_size;
  json["data_bytes"] = dump.dump->data_bytes;
  json["vmcoreinfo"] = dump.dump->has_vmcoreinfo;
  json["removed"] = dump.dump->removed;
  return json;
}

}  // namespace

ordered_json LiveDumpsJson(const LiveDumps& dumps) {
  ordered_json last = ordered_json::array();
  for (const LiveDump& dump : dumps.last) last.push_back(DumpJson(dump));
  return {{"made", dumps.made}, {"failed", dumps.failed}, {"last", std::move(last)}};
}

std::string LiveDumpNoteJson(const VmConfig& config, const LiveDump& dump) {
  ordered_json note = {{"schema_version", kNoteSchemaVersion},
                       {"vmm_version", std::string(kVersion)},
                       {"command", config.command},
                       {"live", BeginJson(dump)}};
  return JsonText(std::move(note), /*indent=*/-1);
}

}  // namespace vmm
