#include "dump/nested/print_vmcs12.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "absl/strings/str_format.h"
#include "base/guest_addr.h"
#include "dump/nested/vmx_error.h"
#include "dump/nested/vmx_names.h"

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

// Access rights of a segment (SDM vol. 3, table 25-2).
std::string AccessRights(uint64_t value) {
  if ((value & 1 << 16) != 0) return "unusable";
  const uint64_t type = value & 15;
  std::string kind;
  if ((value & 1 << 4) == 0) {
    kind = type == 2    ? "LDT"
           : type == 11 ? "busy TSS"
           : type == 3  ? "busy 16-bit TSS"
                        : absl::StrFormat("system %d", type);
  } else if ((type & 8) != 0) {
    kind = (value & 1 << 13) != 0 ? "64-bit code" : (value & 1 << 14) != 0 ? "32-bit code" : "16-bit code";
  } else {
    kind = (type & 2) != 0 ? "data" : "read-only data";
  }
  return absl::StrFormat("%s, DPL %d, %s", kind, value >> 5 & 3, (value & 1 << 7) != 0 ? "present" : "not present");
}

std::string EventInfo(uint64_t value) {
  if ((value & 1u << 31) == 0) return "";
  constexpr std::array<std::string_view, 8> kTypes = {
      "external interrupt", "reserved type", "NMI", "exception", "software interrupt", "privileged software exception",
      "software exception", "other event"};
  return absl::StrFormat("%s, vector %d", kTypes[value >> 8 & 7], value & 0xff);
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

std::string Efer(uint64_t value) {
  const struct {
    int bit;
    std::string_view name;
  } kBits[] = {{0, "SCE"}, {8, "LME"}, {10, "LMA"}, {11, "NX"}};
  std::string text;
  for (const auto& [bit, name] : kBits) {
    if ((value >> bit & 1) == 0) continue;
    if (!text.empty()) text += " ";
    text += name;
  }
  return text;
}

void AddLine(std::string_view name, int digits, uint64_t value, std::string_view meaning, std::string* out) {
  const std::string number = absl::StrFormat("%0*x", digits, value);
  std::string line = absl::StrFormat("  %-30s %-16s  %s", name, number, meaning);
  line.erase(line.find_last_not_of(' ') + 1);
  *out += line + "\n";
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
    case 0x4408: return EventInfo(value);
    case 0x4400: return value == 0 ? "" : std::string(VmInstructionErrorName(static_cast<uint32_t>(value)));
    case 0x4402: return ExitReason(value);
    case 0x201a: return EptPointer(value);
    case 0x2800: return value == ~uint64_t{0} ? "none" : "";
    case 0x2806:
    case 0x2c02: return Efer(value);
    case 0x4824: return Interruptibility(value);
    case 0x4826: return std::string(ActivityState(value));
    default: break;
  }
  const bool access_rights = field.encoding >= 0x4814 && field.encoding <= 0x4822;
  return access_rights ? AccessRights(value) : "";
}

std::string PrintVmcs12(const VmcsRegion& region, Vmcs12Layout layout) {
  std::string text = "header\n";
  AddLine("revision", 8, region.hdr() & ~kVmcsShadowBit, region.shadow() ? "KVM, a shadow VMCS" : "KVM", &text);
  AddLine("abort", 8, region.abort(), region.abort() == 0 ? "" : VmxAbortName(region.abort()), &text);
  const uint32_t state = region.launch_state();
  AddLine("launch_state", 8, state,
          state == VmcsRegion::kClear      ? "clear"
          : state == VmcsRegion::kLaunched ? "launched"
                                           : "unknown",
          &text);
  for (const Area& area : kAreas) {
    text += std::string(area.title) + "\n";
    for (const VmcsField* field : FieldsOf(area.type, layout)) {
      const uint64_t value = region.Get(*field);
      AddLine(field->name, 2 * field->size, value, VmcsFieldMeaning(*field, value), &text);
    }
  }
  return text;
}

std::vector<VmcsDifference> DiffVmcs12(const VmcsRegion& a, const VmcsRegion& b, Vmcs12Layout layout) {
  std::vector<VmcsDifference> differences;
  for (const Area& area : kAreas) {
    for (const VmcsField* field : FieldsOf(area.type, layout)) {
      if (a.Get(*field) != b.Get(*field)) differences.push_back({field, a.Get(*field), b.Get(*field)});
    }
  }
  return differences;
}

std::string PrintVmcs12Diff(const VmcsRegion& a, const VmcsRegion& b, Vmcs12Layout layout) {
  std::string text;
  for (const auto& [field, old_value, new_value] : DiffVmcs12(a, b, layout)) {
    const int digits = 2 * field->size;
    AddLine(field->name, digits, old_value,
            absl::StrFormat("-> %0*x  %s", digits, new_value, VmcsFieldMeaning(*field, new_value)), &text);
  }
  return text;
}

}  // namespace vmm
