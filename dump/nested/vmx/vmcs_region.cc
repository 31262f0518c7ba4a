#include "dump/nested/vmx/vmcs_region.h"

#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr uint32_t kGuestEsArBytes = 0x4814;  // the first of eight in a row
constexpr uint32_t kGuestTrArBytes = 0x4822;
constexpr uint64_t kAccessRightsBits = 0x1f0ff;  // SDM vol. 3, table 25-2

constexpr uint32_t kFailedEntry = 1u << 31;  // of an exit reason

}  // namespace

VmcsRegion::VmcsRegion() { SetWord(offsetof(Vmcs12, hdr), kVmcs12Revision); }

absl::StatusOr<VmcsRegion> VmcsRegion::Parse(std::span<const uint8_t> page) {
  if (page.size() != kVmcs12PageSize) {
    return absl::InvalidArgumentError(
        absl::StrFormat("a VMCS region has %d bytes, not %d", kVmcs12PageSize, page.size()));
  }
  VmcsRegion region;
  std::copy(page.begin(), page.end(), region.page_.begin());
  if ((region.hdr() & ~kVmcsShadowBit) != kVmcs12Revision) {
    return absl::InvalidArgumentError(absl::StrFormat("VMCS revision 0x%08x is not that of KVM, 0x%08x",
                                                      region.hdr() & ~kVmcsShadowBit, kVmcs12Revision));
  }
  return region;
}

VmxResult VmcsRegion::Vmread(uint64_t encoding, const VmxFeatures& features, uint64_t* value) {
  const auto component = FindVmcsComponent(encoding, features.layout);
  if (!component) return Fail(VmInstructionError::kUnsupportedComponent);
  const uint64_t whole = Get(*component->field);
  *value = component->high ? whole >> 32 : whole;
  return VmxResult::Succeed();
}

VmxResult VmcsRegion::Vmwrite(uint64_t encoding, const VmxFeatures& features, uint64_t value) {
  const auto component = FindVmcsComponent(encoding, features.layout);
  if (!component) return Fail(VmInstructionError::kUnsupportedComponent);
  const VmcsField& field = *component->field;
  if (field.read_only() && !features.vmwrite_read_only) return Fail(VmInstructionError::kVmwriteReadOnly);
  if (component->high) value = (Get(field) & 0xffffffff) | value << 32;
  if (field.encoding >= kGuestEsArBytes && field.encoding <= kGuestTrArBytes) value &= kAccessRightsBits;
  Set(field, value);
  return VmxResult::Succeed();
}

VmxResult VmcsRegion::CheckVmlaunch() {
  return launch_state() == kClear ? VmxResult::Succeed() : Fail(VmInstructionError::kVmlaunchNotClear);
}

VmxResult VmcsRegion::CheckVmresume() {
  return launch_state() == kLaunched ? VmxResult::Succeed() : Fail(VmInstructionError::kVmresumeNotLaunched);
}

void VmcsRegion::VmExit(uint32_t reason, uint64_t qualification) {
  SetWord(offsetof(Vmcs12, vm_exit_reason), reason);
  std::memcpy(page_.data() + offsetof(Vmcs12, exit_qualification), &qualification, sizeof(qualification));
  if ((reason & kFailedEntry) == 0) SetWord(offsetof(Vmcs12, launch_state), kLaunched);
}

VmxResult VmcsRegion::Fail(VmInstructionError error) {
  SetWord(offsetof(Vmcs12, vm_instruction_error), static_cast<uint32_t>(error));
  return VmxResult::FailValid(error);
}

uint32_t VmcsRegion::Word(size_t offset) const {
  uint32_t word = 0;
  std::memcpy(&word, page_.data() + offset, sizeof(word));
  return word;
}

void VmcsRegion::SetWord(size_t offset, uint32_t value) { std::memcpy(page_.data() + offset, &value, sizeof(value)); }

}  // namespace vmm
