// The nested state of one vCPU, as KVM_GET_NESTED_STATE returns it: the address of its guest hypervisor's (L1's) VMCS,
// and KVM's copy of that VMCS, which is the valid one. A state read from a dump is untrusted, so it is checked before
// use.
#ifndef DUMP_NESTED_NESTED_STATE_H_
#define DUMP_NESTED_NESTED_STATE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/nested/abi/nested_state_abi.h"
#include "dump/nested/abi/vmcb12.h"
#include "dump/nested/vmx/vmcs_region.h"

namespace vmm {

// A plain value: immutable once parsed.
class NestedState {
 public:
  // KVM_CAP_NESTED_STATE on VMX, and the most that Parse() takes.
  static constexpr size_t kMaxSize = kNestedTwoPages;

  // Takes exactly header.size bytes. InvalidArgument for everything that KVM refuses on any vCPU; the message names the
  // value and says what is wrong with it. Unimplemented for a format that is neither VMX nor SVM. Oddities() lists what
  // KVM accepts but would not write itself.
  static absl::StatusOr<NestedState> Parse(std::span<const uint8_t> bytes);

  // Makes a VMX state from its parts. `vmcs12` and `shadow_vmcs12` may be null. Sets header.size.
  static absl::StatusOr<NestedState> MakeVmx(KvmNestedHeader header, const VmcsRegion* vmcs12,
                                             const VmcsRegion* shadow_vmcs12);

  // The bytes as they were parsed, unchanged. KVM_SET_NESTED_STATE takes them back.
  std::span<const uint8_t> bytes() const { return bytes_; }

  const KvmNestedHeader& header() const { return header_; }
  bool vmx() const { return header_.format == kNestedFormatVmx; }

  // True if L2 runs: the vCPU's registers, and so PRSTATUS, are L2's.
  bool guest_mode() const { return (header_.flags & kNestedGuestMode) != 0; }

  // VMX: the current VMCS, if there is one. SVM: the VMCB that KVM keeps while L2 runs. Its save area is L1's state.
  const std::optional<VmcsRegion>& vmcs12() const { return vmcs12_; }
  const std::optional<VmcsRegion>& shadow_vmcs12() const { return shadow_vmcs12_; }
  std::optional<Vmcb12> vmcb12() const;

  // One sentence for each deviation from KVM's own states: unknown flags, an abort, padding that is not zero, L2
  // running on a vmcs12 that could not be entered.
  std::vector<std::string> Oddities() const;

 private:
  NestedState() = default;

  std::span<const uint8_t> data() const { return std::span(bytes_).subspan(sizeof(KvmNestedHeader)); }
  absl::Status ParseVmx();
  absl::Status ParseSvm() const;

  std::vector<uint8_t> bytes_;
  KvmNestedHeader header_ = {};
  std::optional<VmcsRegion> vmcs12_;
  std::optional<VmcsRegion> shadow_vmcs12_;
};

}  // namespace vmm

#endif  // DUMP_NESTED_NESTED_STATE_H_
