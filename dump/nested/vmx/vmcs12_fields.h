// The layout of vmcs12, stated once: the encoding, place and name of each field. Lookup, printing, the VMCSINFO note,
// docs/abi/vmcs12.md and the tests all use this table.
#ifndef DUMP_NESTED_VMX_VMCS12_FIELDS_H_
#define DUMP_NESTED_VMX_VMCS12_FIELDS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "dump/nested/abi/vmcs12.h"

namespace vmm {

// The fields that a writer of a vmcs12 knew. The revision does not show them, so our notes do. A later layout has all
// fields of an earlier one at the same places, and its additional fields were padding.
enum class Vmcs12Layout : uint32_t {
  kFrozen = 0,  // Linux 4.18
  kCet = 1,     // Linux 6.18: control-flow enforcement
};
inline constexpr Vmcs12Layout kNewestVmcs12Layout = Vmcs12Layout::kCet;

// Bits 11:10 of an encoding (SDM vol. 3, section 25.11.2).
enum class VmcsFieldType { kControl, kExitInformation, kGuest, kHost };

// Bits 14:13 of an encoding.
enum class VmcsFieldWidth { k16, k64, k32, kNatural };

struct VmcsField {
  uint32_t encoding = 0;  // of the whole field; a 64-bit field's high half has encoding + 1
  uint16_t offset = 0;    // in the page
  uint8_t size = 0;       // bytes: 2, 4 or 8
  Vmcs12Layout since = Vmcs12Layout::kFrozen;
  std::string_view name;  // KVM's

  constexpr VmcsFieldType type() const { return static_cast<VmcsFieldType>(encoding >> 10 & 3); }
  constexpr VmcsFieldWidth width() const { return static_cast<VmcsFieldWidth>(encoding >> 13 & 3); }
  constexpr bool has_high_half() const { return width() == VmcsFieldWidth::k64; }

  // True if VMWRITE fails unless the CPU allows writing all fields (IA32_VMX_MISC bit 29).
  constexpr bool read_only() const { return type() == VmcsFieldType::kExitInformation; }
};

// All fields that have an encoding, ascending by offset.
std::span<const VmcsField> Vmcs12Fields();

// A field, or the upper half of one, as VMREAD and VMWRITE name them.
struct VmcsComponent {
  const VmcsField* field = nullptr;
  bool high = false;
};

// The component that `encoding` names in `layout`. nullopt if that is no component of vmcs12.
std::optional<VmcsComponent> FindVmcsComponent(uint64_t encoding, Vmcs12Layout layout);

// The field with KVM's name `name`, or nullptr.
const VmcsField* FindVmcsField(std::string_view name);

using Vmcs12Page = std::span<const uint8_t, kVmcs12PageSize>;

// The field's value, zero-extended.
uint64_t GetVmcsField(Vmcs12Page page, const VmcsField& field);

// Stores the low bytes of `value`, as many as the field has.
void SetVmcsField(std::span<uint8_t, kVmcs12PageSize> page, const VmcsField& field, uint64_t value);

// The struct at the beginning of `page`.
Vmcs12 Vmcs12FromPage(Vmcs12Page page);

// "control", "read-only", "guest", "host"; "16", "64", "32", "natural".
std::string_view VmcsFieldTypeName(VmcsFieldType type);
std::string_view VmcsFieldWidthName(VmcsFieldWidth width);

}  // namespace vmm

#endif  // DUMP_NESTED_VMX_VMCS12_FIELDS_H_
