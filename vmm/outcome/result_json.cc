#include "vmm/outcome/result_json.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "base/json_text.h"
#include "base/log.h"
#include "base/status.h"
#include "base/stream_sink.h"
#include "base/unique_fd.h"
#include "base/version.h"
#include "nlohmann/json.hpp"
#include "vmm/ktap/summary_json.h"
#include "vmm/outcome/live_dump_json.h"
#include "vmm/outcome/tool_lines.h"

namespace vmm {
namespace {

using nlohmann::ordered_json;

constexpr int kSchemaVersion = 1;

ordered_json PanicJson(const PanicEvent& panic) {
  return {{"source", std::string(PanicSourceName(panic.source))},
          {"vcpu", panic.vcpu},
          {"crash_kernel_loaded", panic.crash_loaded},
          {"detail", panic.detail}};
}

ordered_json PanicJson(const RunOutcome& outcome) {
  if (!outcome.panic.has_value()) return nullptr;
  ordered_json json = PanicJson(*outcome.panic);
  json["seen"] = outcome.panics_seen;
  if (outcome.xen_victim.has_value()) json["died"] = std::string(XenVictimName(*outcome.xen_victim));
  return json;
}

ordered_json ConsoleJson(const RunOutcome& outcome) {
  ordered_json lines = ordered_json::array();
  for (const ConsoleWitness& witness : outcome.console) {
    lines.push_back({{"sign", std::string(KernelSignName(witness.sign))},
                     {"line", witness.line},
                     {"seconds", absl::ToDoubleSeconds(witness.at)}});
  }
  return {{"seen", outcome.console_seen}, {"lines", lines}};
}

// One vCPU as it was before the NMI.
ordered_json StoodJson(size_t id, const std::optional<CpuState>& cpu, const HangRegisters& registers) {
  if (!cpu.has_value()) return {{"vcpu", id}, {"state", "unknown"}};
  if (!cpu->started) return {{"vcpu", id}, {"state", "not-started"}};
  const auto hex = [](uint64_t value) { return absl::StrFormat("%#x", value); };
  return {{"vcpu", id},
          {"state", cpu->halted ? "halted" : "running"},
          {"rip", hex(cpu->rip)},
          {"rsp", hex(cpu->rsp)},
          {"rflags", hex(cpu->rflags)},
          {"cr3", hex(cpu->cr3)},
          {"place", id < registers.places.size() ? registers.places[id] : ""}};
}

ordered_json NmiJson(const RunOutcome& outcome) {
  if (!outcome.hang_registers.has_value()) return nullptr;
  const HangRegisters& registers = *outcome.hang_registers;
  ordered_json stood = ordered_json::array();
  for (size_t id = 0; id < registers.note.before.size(); ++id) {
    stood.push_back(StoodJson(id, registers.note.before[id], registers));
  }
  ordered_json json = {{"vcpu", registers.note.nmi_vcpu}, {"error", nullptr}, {"destroyed_vcpu", nullptr}};
  if (!registers.nmi_error.empty()) json["error"] = registers.nmi_error;
  if (registers.note.destroyed >= 0) json["destroyed_vcpu"] = registers.note.destroyed;
  json["registers_before"] = stood;
  return json;
}

ordered_json SandboxJson(const SandboxReport& sandbox) {
  if (sandbox.mode == SandboxMode::kOff) return nullptr;
  return {{"seccomp", sandbox.seccomp}, {"landlock", sandbox.landlock}, {"lacking", sandbox.lacking}};
}

ordered_json HangJson(const RunOutcome& outcome) {
  if (!outcome.hang.has_value()) return nullptr;
  ordered_json places = ordered_json::array();
  for (const uint64_t rip : outcome.hang->rips) places.push_back(absl::StrFormat("%#x", rip));
  return {{"kind", std::string(HangKindName(outcome.hang->kind))},
          {"vcpu", outcome.hang->vcpu},
          {"detail", outcome.hang->detail},
          {"rips", places},
          {"nmi", NmiJson(outcome)}};
}

ordered_json FaultJson(const RunOutcome& outcome) {
  if (!outcome.fault.has_value()) return nullptr;
  const FaultSite& fault = *outcome.fault;
  const auto hex = [](uint64_t value) { return absl::StrFormat("%#x", value); };
  ordered_json json = {{"vcpu", fault.vcpu}, {"registers_lost", fault.registers_lost}, {"reasons", fault.reasons}};
  if (fault.registers_lost) return json;
  json["place"] = fault.place;
  json["instruction"] =
      absl::BytesToHexString({reinterpret_cast<const char*>(fault.instruction.data()), fault.instruction.size()});
  const CpuState& cpu = fault.cpu;
  json["registers"] = {{"rip", hex(cpu.rip)},
                       {"rsp", hex(cpu.rsp)},
                       {"rflags", hex(cpu.rflags)},
                       {"cs", hex(cpu.cs.selector)},
                       {"cr0", hex(cpu.cr0)},
                       {"cr2", hex(cpu.cr2)},
                       {"cr3", hex(cpu.cr3)},
                       {"cr4", hex(cpu.cr4)},
                       {"efer", hex(cpu.efer)},
                       {"idt_base", hex(cpu.idt.base)},
                       {"idt_limit", hex(cpu.idt.limit)}};
  return json;
}

ordered_json CatchJson(const RunOutcome& outcome) {
  if (!outcome.catching.has_value()) return nullptr;
  ordered_json points = ordered_json::array();
  for (const CatchPoint& point : outcome.catching->points) {
    points.push_back({{"kind", std::string(CatchKindName(point.kind))},
                      {"function", point.function},
                      {"address", absl::StrFormat("%#x", point.address)}});
  }
  ordered_json json = {{"points", points}, {"why_none", nullptr}};
  if (!outcome.catching->why_none.empty()) json["why_none"] = outcome.catching->why_none;
  return json;
}

ordered_json DeathJson(const RunOutcome& outcome) {
  if (!outcome.death.has_value()) return nullptr;
  return {{"message", outcome.death->message},   {"title", outcome.death->title},
          {"function", outcome.death->function}, {"signature", outcome.death->signature},
          {"stack", outcome.death->stack},       {"log", outcome.death->log},
          {"missing", outcome.death->missing}};
}

// The most telling counters that this KVM has; null if it has none.
ordered_json KvmStatsJson(const std::vector<KvmStat>& stats) {
  if (stats.empty()) return nullptr;
  ordered_json json = ordered_json::object();
  for (const std::string_view name : TellingVcpuStats()) {
    if (const auto value = FindKvmStat(stats, name); value.has_value()) json[std::string(name)] = *value;
  }
  return json;
}

ordered_json VcpusJson(const RunOutcome& outcome) {
  ordered_json vcpus = ordered_json::array();
  for (const RunOutcome::VcpuAccount& vcpu : outcome.vcpus) {
    vcpus.push_back({{"exits", vcpu.exits},
                     {"ran_seconds", absl::ToDoubleSeconds(vcpu.ran)},
                     {"waited_seconds", absl::ToDoubleSeconds(vcpu.waited)},
                     {"kvm", KvmStatsJson(vcpu.kvm)}});
  }
  return vcpus;
}

// For each reader: true, or the reason why it cannot read the dump.
ordered_json ReadableByJson(const VmcoreReport& report) {
  if (report.readable_by.empty()) return nullptr;  // a stream was not read back
  ordered_json readers = ordered_json::object();
  for (const ReadableBy& reader : report.readable_by) {
    ordered_json& verdict = readers[std::string(NameOf(reader.reader))];
    if (reader.why_not.has_value()) {
      verdict = *reader.why_not;
    } else {
      verdict = true;
    }
  }
  return readers;
}

ordered_json VmcoreInfoSourceJson(const VmcoreReport& report) {
  if (report.vmcoreinfo_source.empty()) return nullptr;
  return report.vmcoreinfo_source;
}

ordered_json DumpJson(const RunOutcome& outcome) {
  if (outcome.dump.has_value()) {
    return {{"path", outcome.dump->path},
            {"format", NameOf(outcome.dump->format)},
            {"level", outcome.dump->level},
            {"file_bytes", outcome.dump->file_size},
            {"data_bytes", outcome.dump->data_bytes},
            {"seconds", absl::ToDoubleSeconds(outcome.dump_time)},
            {"vmcoreinfo", outcome.dump->has_vmcoreinfo},
            {"vmcoreinfo_source", VmcoreInfoSourceJson(*outcome.dump)},
            {"mapping", outcome.dump->mapping},
            {"readable_by", ReadableByJson(*outcome.dump)},
            {"removed", outcome.dump->removed}};
  }
  if (!outcome.earlier_dump.empty()) return {{"like", outcome.earlier_dump}};
  if (!outcome.dump_error.ok()) return {{"error", std::string(outcome.dump_error.message())}};
  return nullptr;
}

// The command lines, ready to be pasted into a shell.
ordered_json ToolsJson(const VmConfig& config, const RunOutcome& outcome) {
  if (!outcome.dump.has_value()) return nullptr;
  ordered_json tools = ordered_json::object();
  for (const auto& [tool, line] : ToolLines(config, *outcome.dump)) tools[tool] = line;
  return tools;
}

ordered_json GuestJson(const VmConfig& config, const RunOutcome& outcome) {
  ordered_json guest = {{"kernel", config.boot.kernel_path},
                        {"cmdline", config.boot.command_line},
                        {"memory_bytes", config.memory_bytes},
                        {"cpus", config.cpus}};
  if (outcome.kernel.has_value()) {
    guest["physical_base"] = absl::StrFormat("%#x", outcome.kernel->physical_base);
    if (outcome.kernel->kaslr_seed.has_value()) {
      guest["kaslr_seed"] = absl::StrFormat("%#x", *outcome.kernel->kaslr_seed);
    }
  }
  if (outcome.dump.has_value() && !outcome.dump->release.empty()) guest["release"] = outcome.dump->release;
  if (outcome.dump.has_value() && outcome.dump->kernel_offset.has_value()) {
    guest["kernel_offset"] = absl::StrFormat("%#x", *outcome.dump->kernel_offset);
  }
  return guest;
}

// Keys and values may be any bytes. Two keys that are not UTF-8 may look the same once their invalid bytes are
// replaced, so they cannot be names in an object: one would overwrite the other.
void AddGuestInfo(const std::map<std::string, std::string>& values, ordered_json& json) {
  json["guestinfo"] = ordered_json::object();
  for (const auto& [key, value] : values) {
    if (!IsUtf8(key)) {
      json["guestinfo_odd_keys"].push_back(
          {{"key_base64", absl::Base64Escape(key)}, {"value_base64", absl::Base64Escape(value)}});
    } else if (IsUtf8(value)) {
      json["guestinfo"][key] = value;
    } else {
      json["guestinfo_base64"][key] = absl::Base64Escape(value);
    }
  }
}

ordered_json VmportJson(const VmportReport& vmport) {
  ordered_json json = {{"ring3", std::string(BackdoorReachName(vmport.reach))}, {"messages", vmport.messages}};
  AddGuestInfo(vmport.guestinfo, json);
  json["log"] = vmport.log;
  const ToolsInfo& info = vmport.tools.info;
  const StateChange announced = info.last_change_ok ? info.last_change : StateChange::kNone;
  json["tools"] = {{"running", vmport.tools.running},
                   {"program", vmport.tools.program},
                   {"version", info.version},
                   {"build", info.build},
                   {"announced", std::string(StateChangeName(announced))}};
  return json;
}

ordered_json ProgramJson(const ProgramConfig& config, const RunOutcome& outcome) {
  ordered_json json = {{"words", config.words}, {"started", false}, {"status", nullptr}, {"signal", nullptr}};
  if (!outcome.program.has_value()) return json;
  const ProgramEnd& end = *outcome.program;
  json["started"] = end.stage == kStageRunning || end.ended();
  if (end.ended() && outcome.kind == RunOutcome::Kind::kGuestExit) {
    json[end.signal() != 0 ? "signal" : "status"] = end.signal() != 0 ? end.signal() : end.status();
  }
  return json;
}

}  // namespace

std::string ResultJson(const VmConfig& config, const RunOutcome& outcome) {
  ordered_json result = {
      {"schema_version", kSchemaVersion},
      {"vmm_version", std::string(kVersion)},
      {"outcome", std::string(OutcomeName(outcome))},
      {"exit_code", ExitCodeOf(outcome)},
      {"summary", OutcomeLine(outcome)},
      {"panic", PanicJson(outcome)},
      {"hang", HangJson(outcome)},
      {"fault", FaultJson(outcome)},
      {"catch", CatchJson(outcome)},
      {"death", DeathJson(outcome)},
      {"console", ConsoleJson(outcome)},
      {"vcpus", VcpusJson(outcome)},
      {"dump", DumpJson(outcome)},
      {"sandbox", SandboxJson(outcome.sandbox)},
      {"tools", ToolsJson(config, outcome)},
      {"guest", GuestJson(config, outcome)},
      {"seconds",
       {{"load", absl::ToDoubleSeconds(outcome.load_time)}, {"run", absl::ToDoubleSeconds(outcome.run_time)}}},
      {"command", config.command},
  };
  if (outcome.vmport.has_value()) result["vmport"] = VmportJson(*outcome.vmport);
  if (!outcome.live.last.empty()) result["live_dumps"] = LiveDumpsJson(outcome.live);
  if (outcome.tests.has_value()) result["tests"] = TestsJson(*outcome.tests);
  if (config.program.has_value()) result["program"] = ProgramJson(*config.program, outcome);
  if (outcome.kind == RunOutcome::Kind::kGuestExit) result["guest_status"] = outcome.guest_status;
  return JsonText(std::move(result), /*indent=*/2) + "\n";
}

std::string DumpNoteJson(const VmConfig& config, const RunOutcome& outcome) {
  ordered_json note = {
      {"schema_version", kSchemaVersion}, {"vmm_version", std::string(kVersion)}, {"command", config.command}};
  if (outcome.panic.has_value()) note["panic"] = PanicJson(*outcome.panic);
  if (outcome.hang.has_value()) note["hang"] = HangJson(outcome);
  if (outcome.vmport.has_value()) note["vmport"] = VmportJson(*outcome.vmport);
  return JsonText(std::move(note), /*indent=*/-1);
}

}  // namespace vmm
