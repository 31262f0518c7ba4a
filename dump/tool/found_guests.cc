#include "dump/tool/found_guests.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/json_text.h"
#include "base/status.h"
#include "dump/tool/nested_notes_of.h"

namespace vmm {
namespace {

std::string Hex(uint64_t value) { return absl::StrFormat("%#x", value); }

}  // namespace

absl::StatusOr<FoundGuests> FindGuests(const Vmcore& core) {
  NestedNotesOfCore notes = NestedNotesOf(core);
  ASSIGN_OR_RETURN(const NestedCpus cpus, FindNestedCpus(core.memory(), notes.notes));
  FoundGuests found = {.remarks = std::move(notes.remarks)};
  found.remarks.insert(found.remarks.end(), cpus.remarks.begin(), cpus.remarks.end());
  const auto& info = core.vmcoreinfo();
  const int levels = info.has_value() && info->Number("pgtable_l5_enabled") == 1 ? 5 : 4;
  ASSIGN_OR_RETURN(found.vms, FindNestedVms(core.memory(), core.cpus(), cpus.cpus, levels));
  return found;
}

absl::StatusOr<GuestSnapshot> SnapshotOf(const Vmcore& core, const NestedVm& vm) {
  GuestSnapshot guest;
  ASSIGN_OR_RETURN(guest.memory, MemoryOf(core.memory(), vm));
  guest.snapshot.memory = guest.memory.get();
  for (const NestedVcpu& vcpu : vm.vcpus) guest.snapshot.cpus.push_back(vcpu.registers);
  return guest;
}

std::string TitleOf(const NestedVm& vm) {
  if (!vm.no_memory.empty()) return absl::StrFormat("%s; %s", vm.vmx ? "VMX" : "SVM", vm.no_memory);
  return absl::StrFormat("%s, %s at 0x%x with %d levels", vm.vmx ? "VMX" : "SVM", vm.vmx ? "EPT" : "nested page tables",
                         AlignDown(vm.root, kPageSize), vm.levels);
}

std::string JsonOf(const NestedVm& vm) {
  nlohmann::ordered_json json = {{"kind", vm.vmx ? "VMX" : "SVM"}};
  if (vm.no_memory.empty()) {
    json[vm.vmx ? "ept_pointer" : "nested_cr3"] = Hex(vm.root);
    json["levels"] = vm.levels;
  } else {
    json["no_memory"] = vm.no_memory;
  }
  json["vcpus"] = nlohmann::ordered_json::array();
  for (const NestedVcpu& vcpu : vm.vcpus) {
    nlohmann::ordered_json entry = {{vm.vmx ? "vmcs12" : "vmcb12", Hex(vcpu.at.value)},
                                    {"running", vcpu.source == NestedCpu::Source::kRunning},
                                    {"rip", Hex(vcpu.registers.rip)},
                                    {"rsp", Hex(vcpu.registers.rsp)},
                                    {"cr3", Hex(vcpu.registers.cr3)},
                                    {"general_registers", vcpu.has_general_registers},
                                    {"registers_from", vcpu.registers_from}};
    json["vcpus"].push_back(entry);
  }
  return JsonText(std::move(json), /*indent=*/-1);
}

}  // namespace vmm
