#include "vmm/live/print_nested.h"

#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "dump/nested/nested_cpu.h"
#include "dump/nested/nested_state.h"

namespace vmm {
namespace {

std::string NoState(const NestedCpuState& nested) {
  return nested.error.empty() ? "this host's KVM has no nested virtualization" : nested.error;
}

}  // namespace

std::string PrintVmptr(const NestedCpuState& nested) {
  if (nested.bytes.empty()) return "";
  const absl::StatusOr<NestedState> state = NestedState::Parse(nested.bytes);
  if (!state.ok()) return absl::StrFormat("VMPTR: %s\r\n", std::string(state.status().message()));
  const std::string_view runs = state->guest_mode() ? " (L2 runs)" : "";
  if (!state->vmx()) {
    if (!state->guest_mode()) return "";
    return absl::StrFormat("VMCB=%016x%s\r\n", state->header().svm.vmcb_pa, runs);
  }
  if (state->header().vmx.vmxon_pa == kNestedNoAddress) return "";
  if (state->header().vmx.vmcs12_pa == kNestedNoAddress) return "VMPTR=none\r\n";
  return absl::StrFormat("VMPTR=%016x%s\r\n", state->header().vmx.vmcs12_pa, runs);
}

std::string PrintCurrentVmcs(const NestedCpuState& nested) {
  if (nested.bytes.empty()) return absl::StrFormat("no nested state: %s\r\n", NoState(nested));
  const absl::StatusOr<NestedState> state = NestedState::Parse(nested.bytes);
  if (!state.ok()) return absl::StrFormat("nested state: %s\r\n", std::string(state.status().message()));
  NestedCpu cpu{.source = state->guest_mode() ? NestedCpu::Source::kRunning : NestedCpu::Source::kCurrent};
  if (state->vmcs12().has_value()) {
    cpu.at = GuestAddr{state->header().vmx.vmcs12_pa};
    cpu.region = *state->vmcs12();
  } else if (const std::optional<Vmcb12> vmcb = state->vmcb12(); vmcb.has_value()) {
    cpu.at = GuestAddr{state->header().svm.vmcb_pa};
    cpu.region = *vmcb;
  } else {
    return "no current VMCS, and no VMCB that runs\r\n";
  }
  const std::string text = TitleOf(cpu) + "\n" + PrintStateFields(DescribeNestedCpu(cpu));
  return absl::StrReplaceAll(text, {{"\n", "\r\n"}});
}

}  // namespace vmm
