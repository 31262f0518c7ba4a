// A logical processor in VMX root operation, as KVM provides one for a guest hypervisor (L1). It has a VMXON pointer
// and at most one current VMCS, and works on its own copy of that VMCS. Meanwhile the page in L1's memory is stale.
// Only VMCLEAR of this VMCS and VMPTRLD of another one write the page. That is why a dump of L1 has to carry KVM's
// copies.
#ifndef DUMP_NESTED_TESTING_VMX_OPERATION_H_
#define DUMP_NESTED_TESTING_VMX_OPERATION_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/guest_memory.h"
#include "dump/nested/nested_state.h"
#include "dump/nested/vmx/vmcs_region.h"
#include "dump/nested/vmx/vmx_error.h"

namespace vmm {

// "No pointer": VMPTRST stores this if no VMCS is current.
inline constexpr uint64_t kNoVmcs = ~uint64_t{0};

// Used by one thread at a time. `memory` is L1's and must outlive it.
class VmxOperation {
 public:
  explicit VmxOperation(GuestMemory& memory, const VmxFeatures& features = {}) : memory_(memory), features_(features) {}

  // VMfailInvalid for a bad region. Error 15 if VMX operation was entered before.
  VmxResult Vmxon(uint64_t pointer);

  // Leaves the page of the current VMCS as it is in memory: KVM does not write it back here.
  VmxResult Vmxoff();

  VmxResult Vmclear(uint64_t pointer);
  VmxResult Vmptrld(uint64_t pointer);
  uint64_t Vmptrst() const { return current_pointer_; }

  // VMfailInvalid if no VMCS is current; else as VmcsRegion's.
  VmxResult Vmread(uint64_t encoding, uint64_t* value);
  VmxResult Vmwrite(uint64_t encoding, uint64_t value);

  // Applies the launch-state rules, then the checks on controls and host state (dump/nested/vmx/vm_entry_checks.h).
  // Success means that L2 runs until VmExit(). If L2's own state is refused, the entry succeeds and ends at once in VM
  // exit 33 with bit 31, as in hardware. While L2 runs, every instruction is VMfailInvalid: from L2 it would be a VM
  // exit, which this class does not handle.
  VmxResult Vmlaunch() { return Enter(&VmcsRegion::CheckVmlaunch); }
  VmxResult Vmresume() { return Enter(&VmcsRegion::CheckVmresume); }

  // L2 exits to L1. Does nothing unless guest_mode().
  void VmExit(uint32_t reason, uint64_t qualification);

  // Return the state as KVM_GET_NESTED_STATE would, and take over such a state. InvalidArgument for a state that KVM
  // would refuse for this CPU (dump/nested/testing/set_nested_state.h); then nothing has changed.
  absl::StatusOr<NestedState> GetNestedState() const;
  absl::Status SetNestedState(const NestedState& state);

  bool vmx_on() const { return vmxon_pointer_ != kNoVmcs; }
  bool guest_mode() const { return guest_mode_; }
  uint64_t vmxon_pointer() const { return vmxon_pointer_; }

  // The copy of the current VMCS. REQUIRES: Vmptrst() is not kNoVmcs.
  const VmcsRegion& current() const { return current_; }

 private:
  bool AddressValid(uint64_t pointer) const;
  VmxResult Fail(VmInstructionError error);
  VmxResult Enter(VmxResult (VmcsRegion::*check_launch_state)());
  void Flush();

  GuestMemory& memory_;
  const VmxFeatures features_;
  uint64_t vmxon_pointer_ = kNoVmcs;
  uint64_t current_pointer_ = kNoVmcs;
  VmcsRegion current_;
  bool guest_mode_ = false;
};

}  // namespace vmm

#endif  // DUMP_NESTED_TESTING_VMX_OPERATION_H_
