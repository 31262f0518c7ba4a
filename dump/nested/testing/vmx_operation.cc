#include "dump/nested/testing/vmx_operation.h"

#include <array>

#include "base/status.h"
#include "dump/nested/abi/nested_state_abi.h"
#include "dump/nested/testing/set_nested_state.h"
#include "dump/nested/vmx/vm_entry_checks.h"

namespace vmm {

bool VmxOperation::AddressValid(uint64_t pointer) const {
  return pointer % kPageSize == 0 && pointer >> features_.physical_address_bits == 0;
}

// An error needs a current VMCS to be stored in.
VmxResult VmxOperation::Fail(VmInstructionError error) {
  return current_pointer_ == kNoVmcs ? VmxResult::FailInvalid() : current_.Fail(error);
}

void VmxOperation::Flush() {
  // L1 may have no memory there by now. Then nobody can miss the bytes.
  (void)memory_.Write(GuestAddr{current_pointer_}, current_.page());
  current_pointer_ = kNoVmcs;
}

VmxResult VmxOperation::Vmxon(uint64_t pointer) {
  if (vmx_on()) return Fail(VmInstructionError::kVmxonInRoot);
  if (!AddressValid(pointer)) return VmxResult::FailInvalid();
  const auto revision = memory_.ReadObject<uint32_t>(GuestAddr{pointer});
  if (!revision.ok() || *revision != kVmcs12Revision) return VmxResult::FailInvalid();
  vmxon_pointer_ = pointer;
  return VmxResult::Succeed();
}

VmxResult VmxOperation::Vmxoff() {
  if (!vmx_on() || guest_mode_) return VmxResult::FailInvalid();
  vmxon_pointer_ = current_pointer_ = kNoVmcs;
  return VmxResult::Succeed();
}

VmxResult VmxOperation::Vmclear(uint64_t pointer) {
  if (!vmx_on() || guest_mode_) return VmxResult::FailInvalid();
  if (!AddressValid(pointer)) return Fail(VmInstructionError::kVmclearBadAddress);
  if (pointer == vmxon_pointer_) return Fail(VmInstructionError::kVmclearVmxonPointer);
  if (pointer == current_pointer_) Flush();
  const uint32_t clear = VmcsRegion::kClear;
  (void)memory_.WriteObject(GuestAddr{pointer + offsetof(Vmcs12, launch_state)}, clear);
  return VmxResult::Succeed();
}

VmxResult VmxOperation::Vmptrld(uint64_t pointer) {
  if (!vmx_on() || guest_mode_) return VmxResult::FailInvalid();
  if (!AddressValid(pointer)) return Fail(VmInstructionError::kVmptrldBadAddress);
  if (pointer == vmxon_pointer_) return Fail(VmInstructionError::kVmptrldVmxonPointer);
  if (pointer == current_pointer_) return VmxResult::Succeed();

  // Memory that is not there reads as all ones, and so has no revision of ours.
  std::array<uint8_t, kVmcs12PageSize> page;
  const bool backed = memory_.Read(GuestAddr{pointer}, page).ok();
  const auto region = backed ? VmcsRegion::Parse(page) : absl::StatusOr<VmcsRegion>(absl::NotFoundError(""));
  if (!region.ok() || (region->shadow() && !features_.vmcs_shadowing)) {
    return Fail(VmInstructionError::kVmptrldWrongRevision);
  }
  if (current_pointer_ != kNoVmcs) Flush();
  current_ = *region;
  current_pointer_ = pointer;
  return VmxResult::Succeed();
}

VmxResult VmxOperation::Vmread(uint64_t encoding, uint64_t* value) {
  if (guest_mode_ || current_pointer_ == kNoVmcs) return VmxResult::FailInvalid();
  return current_.Vmread(encoding, features_, value);
}

VmxResult VmxOperation::Vmwrite(uint64_t encoding, uint64_t value) {
  if (guest_mode_ || current_pointer_ == kNoVmcs) return VmxResult::FailInvalid();
  return current_.Vmwrite(encoding, features_, value);
}

VmxResult VmxOperation::Enter(VmxResult (VmcsRegion::*check_launch_state)()) {
  if (guest_mode_ || current_pointer_ == kNoVmcs || current_.shadow()) return VmxResult::FailInvalid();
  if (const VmxResult result = (current_.*check_launch_state)(); !result.ok()) return result;

  const Vmcs12 vmcs12 = current_.vmcs12();
  if (!CheckVmcs12Controls(vmcs12, features_.physical_address_bits).ok()) {
    return Fail(VmInstructionError::kEntryBadControl);
  }
  if (!CheckVmcs12HostState(vmcs12, features_.physical_address_bits).ok()) {
    return Fail(VmInstructionError::kEntryBadHostState);
  }
  if (!CheckVmcs12GuestState(vmcs12, features_.physical_address_bits, &memory_).ok()) {
    current_.VmExit(1u << 31 | 33, 0);
    return VmxResult::Succeed();
  }
  guest_mode_ = true;
  return VmxResult::Succeed();
}

absl::StatusOr<NestedState> VmxOperation::GetNestedState() const {
  KvmNestedHeader header = {};
  header.flags = guest_mode_ ? kNestedGuestMode : 0;
  header.vmx.vmxon_pa = vmxon_pointer_;
  header.vmx.vmcs12_pa = current_pointer_;
  if (current_pointer_ == kNoVmcs) return NestedState::MakeVmx(header, nullptr, nullptr);

  const Vmcs12 vmcs12 = current_.vmcs12();
  if (!guest_mode_ || !Vmcs12HasShadowVmcs(vmcs12) || vmcs12.vmcs_link_pointer == kNoVmcs) {
    return NestedState::MakeVmx(header, &current_, nullptr);
  }
  std::array<uint8_t, kVmcs12PageSize> page;
  RETURN_IF_ERROR(memory_.Read(GuestAddr{vmcs12.vmcs_link_pointer}, page));
  ASSIGN_OR_RETURN(const VmcsRegion shadow, VmcsRegion::Parse(page));
  return NestedState::MakeVmx(header, &current_, &shadow);
}

absl::Status VmxOperation::SetNestedState(const NestedState& state) {
  const NestedStateTaker taker = {.physical_address_bits = features_.physical_address_bits, .memory = &memory_};
  if (const auto verdict = CheckSetNestedState(state.bytes(), taker); verdict.error != 0) {
    return absl::InvalidArgumentError("nested state: " + verdict.why);
  }
  vmxon_pointer_ = state.header().vmx.vmxon_pa;
  current_pointer_ = state.header().vmx.vmcs12_pa;
  guest_mode_ = state.guest_mode();
  current_ = state.vmcs12().value_or(VmcsRegion());
  return absl::OkStatus();
}

void VmxOperation::VmExit(uint32_t reason, uint64_t qualification) {
  if (!guest_mode_) return;
  guest_mode_ = false;
  current_.VmExit(reason, qualification);
}

}  // namespace vmm
