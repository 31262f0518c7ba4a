#include "dump/tool/report_json.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/json_text.h"
#include "dump/read/registers.h"
#include "dump/tool/cause_json.h"
#include "dump/tool/host_json.h"
#include "dump/tool/log_json.h"

namespace vmm {
namespace {

using Json = nlohmann::ordered_json;

Json Hex(uint64_t value) { return absl::StrFormat("%#x", value); }

Json FrameJson(const ReportFrame& frame) {
  Json json = {{"ip", Hex(frame.frame.ip)}};
  if (frame.frame.at != 0) json["at"] = Hex(frame.frame.at);
  if (frame.place.has_value()) {
    if (!frame.place->function.empty()) json["function"] = frame.place->function;
    json["offset"] = frame.place->offset;
    if (!frame.place->module.empty()) json["module"] = frame.place->module;
  }
  if (frame.frame.interrupted) json["interrupted"] = true;
  if (frame.frame.guess) json["guess"] = true;
  return json;
}

Json CpuJson(const CpuReport& cpu) {
  Json json = {{"cpu", cpu.cpu}, {"mode", ModeOf(cpu.state)}};
  if (cpu.task.has_value()) {
    json["task"]["comm"] = cpu.task->comm;
    if (cpu.task->pid.has_value()) json["task"]["pid"] = *cpu.task->pid;
    json["task"]["address"] = Hex(cpu.task->address);
  }
  json["frames"] = Json::array();
  for (const ReportFrame& frame : cpu.frames) json["frames"].push_back(FrameJson(frame));
  json["end"] = cpu.end;
  if (cpu.user.has_value()) {
    json["user"] = {{"rip", Hex(cpu.user->ip)}, {"rsp", Hex(cpu.user->sp)}, {"orig_rax", Hex(cpu.user->orig_ax)}};
  }
  if (cpu.state.started) {
    for (const auto& [name, value] : RegistersOf(cpu.state)) json["registers"][name] = Hex(value);
  }
  return json;
}

}  // namespace

std::string ReportJson(const KernelReport& report, const HostStory& story, const std::vector<std::string>& cut_short,
                       const Cause* cause, bool live) {
  Json json;
  if (!cut_short.empty()) json["cut_short"] = cut_short;
  json["release"] = report.release;
  json["banner"] = report.banner;
  json["symbols"] = report.symbols;
  if (report.uptime_ns.has_value()) json["uptime_ns"] = *report.uptime_ns;
  json["live"] = live;
  json["panic"] = report.message.panic;
  json["trouble"] = report.message.trouble;
  if (report.panic_cpu.has_value()) json["panic_cpu"] = *report.panic_cpu;
  if (report.taint.has_value()) json["taint"] = *report.taint;
  if (report.cause.has_value()) {
    json["title"] = report.cause->title;
    json["kind"] = TroubleKindName(report.cause->kind);
    if (!report.cause->function.empty()) json["function"] = report.cause->function;
  }
  json["signature"] = report.signature;
  if (cause != nullptr) json["cause"] = CauseJson(*cause);
  json["cpus"] = Json::array();
  for (const CpuReport& cpu : report.cpus) json["cpus"].push_back(CpuJson(cpu));
  json["modules"] = Json::array();
  for (const Module& module : report.modules) {
    json["modules"].push_back({{"name", module.name}, {"base", Hex(module.base)}, {"bytes", module.size}});
  }
  json["log"] = LogJson(report.log);
  json["missing"] = report.missing;
  json["host"] = HostJson(story);
  return JsonText(std::move(json), /*indent=*/2, JsonCharset::kAscii);
}

}  // namespace vmm
