#include "dump/tool/hang_registers_text.h"

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "dump/read/registers.h"
#include "dump/tool/printable.h"

namespace vmm {
namespace {

using Json = nlohmann::ordered_json;

std::string Heading(const HangRegistersNote& note) {
  const std::string sent =
      note.nmi_vcpu < 0 ? "no NMI could be sent" : absl::StrFormat("sent to CPU %d", note.nmi_vcpu);
  const std::string text = absl::StrFormat("Before the NMI that asked why the guest hangs (%s)", sent);
  if (note.destroyed < 0) return text;
  const bool kept = note.before[static_cast<size_t>(note.destroyed)].has_value();
  return text + absl::StrFormat("; it destroyed CPU %d, which %s", note.destroyed,
                                kept ? "is shown above with these registers" : "has none left");
}

Json CpuJson(const std::optional<CpuState>& cpu) {
  if (!cpu.has_value()) return {{"state", "unknown"}};
  if (!cpu->started) return {{"state", "not-started"}};
  Json json = {{"state", cpu->halted ? "halted" : "running"}, {"mode", ModeOf(*cpu)}};
  for (const auto& [name, value] : RegistersOf(*cpu)) json[name] = absl::StrFormat("%#x", value);
  return json;
}

}  // namespace

std::optional<absl::StatusOr<HangRegistersNote>> HangRegistersOf(const Vmcore& core) {
  const VmcoreNote* const note = core.FindNote(kHangRegistersNoteName);
  if (note == nullptr) return std::nullopt;
  return Annotate(HangRegistersNote::Parse(note->desc), absl::StrFormat("note at 0x%x of the file", note->offset));
}

void PrintHangRegisters(const Vmcore& core, const std::function<std::string(uint64_t)>& name, std::ostream& out) {
  const auto note = HangRegistersOf(core);
  if (!note.has_value()) return;
  if (!note->ok()) {
    out << "\nRegisters from before the NMI: " << Printable(std::string(note->status().message())) << "\n";
    return;
  }
  out << "\n" << Heading(**note) << "\n";
  int id = 0;
  for (const std::optional<CpuState>& cpu : (*note)->before) {
    out << absl::StrFormat("  %-3d ", id++);
    if (!cpu.has_value()) {
      out << "did not answer in time\n";
      continue;
    }
    out << absl::StrFormat("%-11s", ModeOf(*cpu));
    if (cpu->started) {
      out << absl::StrFormat(" rip 0x%016x  rsp 0x%016x  rflags 0x%x%s", cpu->rip, cpu->rsp, cpu->rflags,
                             cpu->halted ? "  halted" : "");
      if (const std::string place = name(cpu->rip); !place.empty()) out << "  " << Printable(place);
    }
    out << "\n";
  }
}

Json HangRegistersJson(const Vmcore& core) {
  const auto note = HangRegistersOf(core);
  if (!note.has_value()) return nullptr;
  if (!note->ok()) return {{"error", Printable(std::string(note->status().message()))}};
  Json cpus = Json::array();
  for (const std::optional<CpuState>& cpu : (*note)->before) cpus.push_back(CpuJson(cpu));
  Json json = {{"nmi_cpu", nullptr}, {"destroyed_cpu", nullptr}, {"cpus", cpus}};
  if ((*note)->nmi_vcpu >= 0) json["nmi_cpu"] = (*note)->nmi_vcpu;
  if ((*note)->destroyed >= 0) json["destroyed_cpu"] = (*note)->destroyed;
  return json;
}

}  // namespace vmm
