#include "dump/nested/vmx/print_vmcs12.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_format.h"
#include "base/guest_addr.h"
#include "dump/nested/fields/register_names.h"
#include "dump/nested/vmx/vmx_error.h"
#include "dump/nested/vmx/vmx_names.h"

namespace vmm {
namespace {

struct Area {
  VmcsFieldType type;
  std::string_view title;
};
constexpr Area kAreas[] = {
    {VmcsFieldType::kGuest, "guest state"},
    {VmcsFieldType::kHost, "host state"},
    {VmcsFieldType::kControl, "controls"},
    {VmcsFieldType::kExitInformation, "exit information"},
};

// The fields of one area that `layout` has, by encoding.
std::vector<const VmcsField*> FieldsOf(VmcsFieldType type, Vmcs12Layout layout) {
  std::vector<const VmcsField*> fields;
  for (const VmcsField& field : Vmcs12Fields()) {
    if (field.type() == type && field.since <= layout) fields.push_back(&field);
  }
  std::sort(fields.begin(), fields.end(),
            [](const VmcsField* a, const VmcsField* b) { return a->encoding < b->encoding; });
  return fields;
}

std::string ExitReason(uint64_t value) {
  std::string text(VmExitReasonName(static_cast<uint16_t>(value)));
  if ((value & 1u << 31) != 0) text += ", no entry was made";
  if ((value & 1u << 27) != 0) text += ", in enclave";
  return text;
}

std::string EptPointer(uint64_t value) {
  if (value == 0) return "";
  const uint64_t type = value & 7;
  const std::string memory_type = type == 0 ? "uncached" : type == 6 ? "write-back" : absl::StrFormat("type %d", type);
  return absl::StrFormat("%d levels, %s%s, table at 0x%x", (value >> 3 & 7) + 1, memory_type,
                         (value & 1 << 6) != 0 ? ", accessed and dirty flags" : "", AlignDown(value, kPageSize));
}

std::string_view ActivityState(uint64_t value) {
  constexpr std::string_view kStates[] = {"active", "HLT", "shutdown", "wait for SIPI"};
  return value < std::size(kStates) ? kStates[value] : "unknown";
}

std::string Interruptibility(uint64_t value) {
  constexpr std::string_view kBits[] = {"blocked by STI", "blocked by MOV SS", "blocked by SMI", "blocked by NMI",
                                        "enclave interruption"};
  std::string text;
  for (size_t bit = 0; bit < std::size(kBits); ++bit) {
    if ((value >> bit & 1) == 0) continue;
    if (!text.empty()) text += ", ";
    text += kBits[bit];
  }
  return text;
}

}  // namespace

std::string VmcsFieldMeaning(const VmcsField& field, uint64_t value) {
  const auto controls = [&](VmxControlWord word) { return VmxControlNames(word, static_cast<uint32_t>(value)); };
  switch (field.encoding) {
    case 0x4000: return controls(VmxControlWord::kPinBased);
    case 0x4002: return controls(VmxControlWord::kPrimary);
    case 0x400c: return controls(VmxControlWord::kExit);
    case 0x4012: return controls(VmxControlWord::kEntry);
    case 0x401e: return controls(VmxControlWord::kSecondary);
    case 0x4016:
    case 0x4404:
    case 0x4408: return EventMeaning(value);
    case 0x4400: return value == 0 ? "" : std::string(VmInstructionErrorName(static_cast<uint32_t>(value)));
    case 0x4402: return ExitReason(value);
    case 0x201a: return EptPointer(value);
    case 0x2800: return value == ~uint64_t{0} ? "none" : "";
    case 0x2806:
    case 0x2c02: return EferMeaning(value);
    case 0x4824: return Interruptibility(value);
    case 0x4826: return std::string(ActivityState(value));
    default: break;
  }
  const bool access_rights = field.encoding >= 0x4814 && field.encoding <= 0x4822;
  return access_rights ? SegmentRightsMeaning(value) : "";
}

std::vector<StateField> DescribeVmcs12(const VmcsRegion& region, Vmcs12Layout layout) {
  const uint32_t state = region.launch_state();
  const std::string_view state_name = state == VmcsRegion::kClear      ? "clear"
                                      : state == VmcsRegion::kLaunched ? "launched"
                                                                       : "unknown";
  std::vector<StateField> fields = {
      {kHeaderArea, "revision", 4, region.hdr() & ~kVmcsShadowBit, region.shadow() ? "KVM, a shadow VMCS" : "KVM"},
      {kHeaderArea, "abort", 4, region.abort(), region.abort() == 0 ? "" : std::string(VmxAbortName(region.abort()))},
      {kHeaderArea, "launch_state", 4, state, std::string(state_name)},
  };
  for (const Area& area : kAreas) {
    for (const VmcsField* field : FieldsOf(area.type, layout)) {
      const uint64_t value = region.Get(*field);
      fields.push_back({area.title, field->name, field->size, value, VmcsFieldMeaning(*field, value)});
    }
  }
  return fields;
}

}  // namespace vmm
