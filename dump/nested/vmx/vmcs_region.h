// A VMCS region in KVM's layout, and the instructions that work on it once it is current. Its serialised form is the
// 4096-byte page. Bytes after the struct are carried along untouched.
#ifndef DUMP_NESTED_VMX_VMCS_REGION_H_
#define DUMP_NESTED_VMX_VMCS_REGION_H_

#include <array>
#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "dump/nested/vmx/vmcs12_fields.h"
#include "dump/nested/vmx/vmx_error.h"

namespace vmm {

// The features of a CPU that change the behaviour of the instructions.
struct VmxFeatures {
  Vmcs12Layout layout = kNewestVmcs12Layout;
  bool vmwrite_read_only = true;  // IA32_VMX_MISC bit 29; KVM always has it
  bool vmcs_shadowing = false;    // secondary execution control 14
  int physical_address_bits = 40;
};

// A plain value. Used by one thread at a time.
class VmcsRegion {
 public:
  // Values of launch_state.
  static constexpr uint32_t kClear = 0;
  static constexpr uint32_t kLaunched = 1;

  // As an operating system prepares a region: the revision, and zeros.
  VmcsRegion();

  // Copies `page`. InvalidArgument unless it has 4096 bytes and KVM's revision. Nothing else is checked:
  // KVM_SET_NESTED_STATE takes such a page, too.
  static absl::StatusOr<VmcsRegion> Parse(std::span<const uint8_t> page);

  Vmcs12Page page() const { return page_; }
  Vmcs12 vmcs12() const { return Vmcs12FromPage(page_); }
  uint32_t hdr() const { return Word(offsetof(Vmcs12, hdr)); }
  bool shadow() const { return (hdr() & kVmcsShadowBit) != 0; }
  uint32_t launch_state() const { return Word(offsetof(Vmcs12, launch_state)); }
  uint32_t abort() const { return Word(offsetof(Vmcs12, abort)); }

  // These ignore all rules of the instructions.
  uint64_t Get(const VmcsField& field) const { return GetVmcsField(page_, field); }
  void Set(const VmcsField& field, uint64_t value) { SetVmcsField(page_, field, value); }

  // VMREAD: *value is the component, zero-extended. An encoding that `features` do not have is error 12 and leaves
  // *value alone.
  VmxResult Vmread(uint64_t encoding, const VmxFeatures& features, uint64_t* value);

  // VMWRITE: drops the upper bits of `value` that the component does not have. In a segment's access rights, keeps only
  // the bits that exist, as KVM does. Error 12 as for VMREAD. Error 13 if `features` do not allow writes to read-only
  // fields.
  VmxResult Vmwrite(uint64_t encoding, const VmxFeatures& features, uint64_t value);

  // The part of VMCLEAR that concerns the region.
  void Vmclear() { SetWord(offsetof(Vmcs12, launch_state), kClear); }

  // Check the launch state for VMLAUNCH and VMRESUME: error 4 or 5. Entering does not change it; the first VM exit
  // does. (This is KVM's order, so a VM in its first run is not yet `launched`.)
  VmxResult CheckVmlaunch();
  VmxResult CheckVmresume();

  // A VM exit to the hypervisor. A failed entry (bit 31 of `reason`) does not make the region `launched`.
  void VmExit(uint32_t reason, uint64_t qualification);

  // A VMX abort: writes the indicator. The CPU would then shut down.
  void Abort(uint32_t indicator) { SetWord(offsetof(Vmcs12, abort), indicator); }

  // Puts `error` into the VM-instruction error field, and returns it.
  VmxResult Fail(VmInstructionError error);

  friend bool operator==(const VmcsRegion&, const VmcsRegion&) = default;

 private:
  uint32_t Word(size_t offset) const;
  void SetWord(size_t offset, uint32_t value);

  std::array<uint8_t, kVmcs12PageSize> page_ = {};
};

}  // namespace vmm

#endif  // DUMP_NESTED_VMX_VMCS_REGION_H_
