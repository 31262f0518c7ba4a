#include "dump/nested/nested_cpu.h"

#include <set>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "dump/nested/nested_state.h"
#include "dump/nested/svm/print_vmcb12.h"
#include "dump/nested/svm/vmcb12_scan.h"
#include "dump/nested/vmx/print_vmcs12.h"
#include "dump/nested/vmx/vmcs12_scan.h"

namespace vmm {
namespace {

// Adds the contents of `note` to `found`. Adds to `told` the pages of L1's memory about which the note says more than
// the pages themselves.
void AddFromNote(const NestedStateNote& note, NestedCpus* found, std::set<GuestAddr>* told) {
  const auto remark = [&](std::string_view words) {
    found->remarks.push_back(absl::StrFormat("nested state of vCPU %d: %s", note.vcpu, words));
  };
  const absl::StatusOr<NestedState> state = NestedState::Parse(note.state);
  if (!state.ok()) {
    remark(std::string(state.status().message()));
    return;
  }
  for (const std::string& oddity : state->Oddities()) remark(oddity);

  NestedCpu cpu = {.source = state->guest_mode() ? NestedCpu::Source::kRunning : NestedCpu::Source::kCurrent,
                   .l1_vcpu = note.vcpu,
                   .layout = note.layout};
  const KvmNestedHeader& header = state->header();
  if (state->vmx()) {
    if (header.vmx.vmxon_pa != kNestedNoAddress) told->insert(GuestAddr{header.vmx.vmxon_pa});
    if (!state->vmcs12().has_value()) return;
    cpu.at = GuestAddr{header.vmx.vmcs12_pa};
    cpu.region = *state->vmcs12();
  } else {
    if (!state->guest_mode()) return;
    cpu.at = GuestAddr{header.svm.vmcb_pa};
    cpu.region = *state->vmcb12();
  }
  told->insert(cpu.at);
  found->cpus.push_back(std::move(cpu));
}

std::string WhyNoVcpu(const FoundVmcs& vmcs) {
  switch (vmcs.kind) {
    case FoundVmcs::Kind::kVmcs12: return "";
    case FoundVmcs::Kind::kShadow: return "a shadow VMCS";
    case FoundVmcs::Kind::kEmpty: return "empty: a VMXON region, or not yet written";
    case FoundVmcs::Kind::kOther: return vmcs.doubt;
  }
  return "";
}

}  // namespace

absl::StatusOr<NestedCpus> FindNestedCpus(const PhysicalMemory& l1, std::span<const NestedStateNote> notes) {
  NestedCpus found;
  std::set<GuestAddr> told;
  for (const NestedStateNote& note : notes) AddFromNote(note, &found, &told);

  const auto full = [&] { return found.cpus.size() >= kMaxNestedCpus; };
  RETURN_IF_ERROR(ScanForVmcs12(l1, [&](const FoundVmcs& vmcs) {
    if (!told.contains(vmcs.at)) {
      found.cpus.push_back({.at = vmcs.at, .region = vmcs.region, .not_a_vcpu = WhyNoVcpu(vmcs)});
    }
    return !full();
  }));
  RETURN_IF_ERROR(ScanForVmcb12(l1, [&](const FoundVmcb& vmcb) {
    if (!told.contains(vmcb.at)) found.cpus.push_back({.at = vmcb.at, .region = vmcb.vmcb});
    return !full();
  }));
  if (full()) found.remarks.push_back(absl::StrFormat("there are more than the first %d", kMaxNestedCpus));
  return found;
}

std::string TitleOf(const NestedCpu& cpu) {
  std::string title = absl::StrFormat("%s at 0x%x", cpu.vmx() ? "vmcs12" : "vmcb12", cpu.at.value);
  switch (cpu.source) {
    case NestedCpu::Source::kRunning:
      title += absl::StrFormat(", from the nested state of vCPU %d, where L2 runs", cpu.l1_vcpu.value_or(0));
      break;
    case NestedCpu::Source::kCurrent:
      title += absl::StrFormat(", from the nested state of vCPU %d, where it is current", cpu.l1_vcpu.value_or(0));
      break;
    case NestedCpu::Source::kMemory: title += ", found in memory"; break;
  }
  if (!cpu.not_a_vcpu.empty()) title += "; no vCPU: " + cpu.not_a_vcpu;
  return title;
}

std::vector<StateField> DescribeNestedCpu(const NestedCpu& cpu) {
  if (cpu.vmx()) return DescribeVmcs12(std::get<VmcsRegion>(cpu.region), cpu.layout);
  return DescribeVmcb12(std::get<Vmcb12>(cpu.region),
                        cpu.source == NestedCpu::Source::kRunning ? VmcbParts::kControl : VmcbParts::kControlAndSave);
}

}  // namespace vmm
