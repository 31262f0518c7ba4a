// The nested state of one vCPU, as KVM_GET_NESTED_STATE gives it: where its guest hypervisor (L1) has
// its VMCS, and KVM's copy of it, which is the true one. Read out of a dump it is a file's word, so it
// is checked before it is believed.
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
  // What KVM_CAP_NESTED_STATE is on VMX, and the most that is taken.
  static constexpr size_t kMaxSize = kNestedTwoPages;

  // Takes exactly header.size bytes. InvalidArgument, saying what is wrong with which value, for
  // all that KVM refuses whatever the vCPU; Unimplemented for a format that is neither VMX nor SVM.
  // What KVM lets pass but would not itself write is in Oddities().
  static absl::StatusOr<NestedState> Parse(std::span<const uint8_t> bytes);

  // A VMX state made from its parts; vmcs12 and the shadow VMCS may be null. header.size is set.
  static absl::StatusOr<NestedState> MakeVmx(KvmNestedHeader header, const VmcsRegion* vmcs12,
                                             const VmcsRegion* shadow_vmcs12);

  // As it was parsed, byte for byte; KVM_SET_NESTED_STATE takes it back.
  std::span<const uint8_t> bytes() const { return bytes_; }

  const KvmNestedHeader& header() const { return header_; }
  bool vmx() const { return header_.format == kNestedFormatVmx; }

  // True iff L2 runs: the vCPU's registers, and so PRSTATUS, are L2's.
  bool guest_mode() const { return (header_.flags & kNestedGuestMode) != 0; }

  // VMX: the current VMCS, where there is one. SVM: what KVM keeps of a VMCB while L2 runs; its save
  // area is L1's state.
  const std::optional<VmcsRegion>& vmcs12() const { return vmcs12_; }
  const std::optional<VmcsRegion>& shadow_vmcs12() const { return shadow_vmcs12_; }
  std::optional<Vmcb12> vmcb12() const;

  // One sentence for each thing that is not as KVM would have it: unknown flags, an abort, padding
  // that is not zero, L2 running on a vmcs12 that could not be entered.
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
