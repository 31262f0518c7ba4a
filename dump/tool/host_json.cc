#include "dump/tool/host_json.h"

#include "absl/strings/str_format.h"
#include "dump/flight/time_line.h"
#include "dump/flight/vcpu_sums.h"
#include "dump/tool/printable.h"

namespace vmm {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kLastExits = 20;

Json StretchJson(const std::optional<Stretch>& stretch) {
  if (!stretch.has_value()) return nullptr;
  return {{"at", stretch->from}, {"seconds", stretch->length()}};
}

Json ExitJson(const FlightRecord& record, const HostClock& clock) {
  return {{"at", clock.Seconds(record.tsc)},
          {"kind", NameOf(record.kind)},
          {"address", absl::StrFormat("%#x", record.address)},
          {"data", absl::StrFormat("%#x", record.data)},
          {"bytes", record.size},
          {"count", record.count},
          {"handling_seconds", clock.SecondsOfTicks(record.handling)},
          {"or_more", record.handling == kHandlingOrMore}};
}

Json StatsJson(const std::vector<KvmStat>& stats) {
  if (stats.empty()) return nullptr;
  Json json = Json::object();
  for (const KvmStat& stat : stats) json[Printable(stat.name)] = stat.value;
  return json;
}

Json VcpuJson(const VcpuStory& vcpu, const HostClock& clock) {
  const VcpuSums sums = SumUp(vcpu, clock);
  const std::vector<FlightRecord>& records = vcpu.flight.records;
  const auto of_thread = [&](double value) { return sums.thread_known ? Json(value) : Json(); };
  Json json = {{"vcpu", vcpu.vcpu()},
               {"life", StretchJson(sums.life)},
               {"ran_seconds", of_thread(sums.ran)},
               {"waited_seconds", of_thread(sums.waited)},
               {"asleep_seconds", of_thread(sums.asleep())},
               {"starved", of_thread(sums.starved())},
               {"longest_wait", StretchJson(LongestWait(ThreadStretches(vcpu, clock)))},
               {"exits", sums.exits},
               {"exits_known", sums.kept}};
  for (size_t i = 0; i < kExitFamilies; ++i) {
    json["exits_by_kind"][std::string(NameOf(static_cast<ExitFamily>(i)))] = sums.by_family[i];
  }
  json["places"] = Json::array();
  for (const ExitPlace& place : sums.places) {
    json["places"].push_back({{"kind", NameOf(place.kind)},
                              {"address", absl::StrFormat("%#x", place.address)},
                              {"exits", place.exits},
                              {"handling_seconds", place.handling}});
  }
  json["in_vmm_seconds"] = sums.in_vmm;
  json["longest_handling"] =
      sums.longest_handling.has_value() ? ExitJson(records[*sums.longest_handling], clock) : Json();
  json["longest_gap"] = StretchJson(sums.longest_gap);
  json["last_exits"] = Json::array();
  for (size_t i = records.size() - std::min(records.size(), kLastExits); i < records.size(); ++i) {
    json["last_exits"].push_back(ExitJson(records[i], clock));
  }
  // The value of the guest's TSC at the end of the thread.
  const uint64_t offset = vcpu.flight.header.guest_tsc_offset;
  json["guest_tsc_at_end"] = offset == 0 ? Json() : Json(absl::StrFormat("%#x", vcpu.flight.header.end_tsc + offset));
  json["kvm"] = StatsJson(vcpu.kvm);
  return json;
}

}  // namespace

Json HostJson(const HostStory& story) {
  if (story.empty() && story.refused.empty()) return nullptr;
  Json json;
  json["seconds"] = story.clock.end();
  json["tsc_hz"] = story.clock.rate_known() ? Json(story.clock.tsc_hz()) : Json();
  json["guest_clock_at_0"] = story.clock.guest_zero().has_value() ? Json(*story.clock.guest_zero()) : Json();
  json["vcpus"] = Json::array();
  for (const VcpuStory& vcpu : story.vcpus) json["vcpus"].push_back(VcpuJson(vcpu, story.clock));
  json["kvm"] = StatsJson(story.vm);
  json["console"] = Json::array();
  if (story.console.has_value()) {
    for (const ConsoleLine& line : story.console->lines) {
      json["console"].push_back({{"at", story.clock.Seconds(line.tsc)}, {"text", Printable(line.text, "\t")}});
    }
    json["console_lines"] = story.console->lines_seen;
  }
  json["refused"] = story.refused;
  return json;
}

}  // namespace vmm
