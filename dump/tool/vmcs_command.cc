#include "dump/tool/vmcs_command.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "base/json_text.h"
#include "dump/nested/nested_cpu.h"
#include "dump/read/vmcore.h"
#include "dump/tool/nested_notes_of.h"
#include "dump/tool/open_core.h"
#include "dump/tool/printable.h"

namespace vmm {
namespace {

using Json = nlohmann::ordered_json;

std::string_view SourceName(NestedCpu::Source source) {
  switch (source) {
    case NestedCpu::Source::kRunning: return "running";
    case NestedCpu::Source::kCurrent: return "current";
    case NestedCpu::Source::kMemory: return "memory";
  }
  return "";
}

Json CpuJson(const NestedCpu& cpu) {
  Json fields = Json::object();
  for (const StateField& field : DescribeNestedCpu(cpu)) {
    Json& json = fields[std::string(field.name)];
    json["value"] = absl::StrFormat("%#x", field.value);
    if (!field.meaning.empty()) json["meaning"] = field.meaning;
  }
  Json json = {{"kind", cpu.vmx() ? "vmcs12" : "vmcb12"},
               {"at", absl::StrFormat("%#x", cpu.at.value)},
               {"source", SourceName(cpu.source)}};
  if (cpu.l1_vcpu.has_value()) json["l1_vcpu"] = *cpu.l1_vcpu;
  if (!cpu.not_a_vcpu.empty()) json["no_vcpu"] = cpu.not_a_vcpu;
  json["fields"] = fields;
  return json;
}

void PrintAll(const NestedCpus& found, std::ostream& out) {
  for (size_t i = 0; i < found.cpus.size(); ++i) {
    const NestedCpu& cpu = found.cpus[i];
    out << i << ": " << TitleOf(cpu) << "\n";
    if (cpu.not_a_vcpu.empty()) out << PrintStateFields(DescribeNestedCpu(cpu)) << "\n";
  }
  if (found.cpus.empty()) out << "no VMCS of KVM's and no VMCB: this guest ran no guests, or they are all gone\n";
}

int Diff(const Invocation& call, const NestedCpus& found) {
  std::vector<const NestedCpu*> both;
  for (const std::string& operand : {call.operands()[1], call.operands()[2]}) {
    uint32_t index = 0;
    if (!absl::SimpleAtoi(operand, &index) || index >= found.cpus.size()) {
      return call.Misused(absl::StrFormat("%s: there are %d, numbered from 0", operand, found.cpus.size()));
    }
    both.push_back(&found.cpus[index]);
  }
  if (both[0]->vmx() != both[1]->vmx()) return call.Misused("a vmcs12 and a vmcb12 have nothing in common");

  const std::vector<StateField> a = DescribeNestedCpu(*both[0]), b = DescribeNestedCpu(*both[1]);
  const std::vector<StateDifference> differences = DiffStateFields(a, b);
  if (call.json()) {
    Json json = Json::array();
    for (const auto& [from, to] : differences) {
      Json entry = {
          {"field", from->name}, {"a", absl::StrFormat("%#x", from->value)}, {"b", absl::StrFormat("%#x", to->value)}};
      if (!to->meaning.empty()) entry["meaning"] = to->meaning;
      json.push_back(entry);
    }
    Json all = {{"differences", json}};
    if (!call.cut_short().empty()) all["cut_short"] = call.cut_short();
    call.out() << JsonText(all, /*indent=*/1, JsonCharset::kAscii) << "\n";
  } else {
    call.out() << "from " << TitleOf(*both[0]) << "\nto   " << TitleOf(*both[1]) << "\n" << PrintStateDiff(differences);
  }
  return differences.empty() ? kExitFine : kExitBadFile;
}

int RunVmcs(const Invocation& call) {
  const bool diff = call.Has("diff");
  if (call.operands().size() != (diff ? 3u : 1u)) {
    return call.Misused("usage: vmcore vmcs FILE, or vmcore vmcs FILE --diff A B");
  }
  const auto core = OpenCore(call, call.operands()[0]);
  if (!core.ok()) return call.Fail(core.status());
  const NestedNotesOfCore notes = NestedNotesOf(**core);
  const auto found = FindNestedCpus((*core)->memory(), notes.notes);
  if (!found.ok()) return call.Fail(found.status());

  std::vector<std::string> remarks = notes.remarks;
  remarks.insert(remarks.end(), found->remarks.begin(), found->remarks.end());
  for (std::string& remark : remarks) {
    remark = Printable(remark);
    call.err() << "vmcore vmcs: " << remark << "\n";
  }
  if (diff) return Diff(call, *found);
  if (call.json()) {
    Json json = {{"vcpus", Json::array()}, {"remarks", remarks}};
    for (const NestedCpu& cpu : found->cpus) json["vcpus"].push_back(CpuJson(cpu));
    if (!call.cut_short().empty()) json["cut_short"] = call.cut_short();
    call.out() << JsonText(json, /*indent=*/1, JsonCharset::kAscii) << "\n";
  } else {
    PrintAll(*found, call.out());
  }
  return kExitFine;
}

}  // namespace

Command VmcsCommand() {
  Command command;
  command.name = "vmcs";
  command.operands = "FILE [A B]";
  command.max_operands = 3;
  command.summary = "of a guest that was a hypervisor: its VMCSs and VMCBs, field by field";
  command.details =
      "Those of vCPUs on which its own guest ran, or which had a current VMCS, come from KVM's nested state in\n"
      "the dump's notes; the others are found in memory. They are numbered from 0.\n";
  command.options = {{"diff", "", "the fields in which number A and number B differ; exit code 1 if there are any"}};
  command.run = RunVmcs;
  return command;
}

}  // namespace vmm
