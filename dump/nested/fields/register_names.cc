#include "dump/nested/fields/register_names.h"

#include <array>
#include <string_view>

#include "absl/strings/str_format.h"

namespace vmm {

std::string SegmentRightsMeaning(uint64_t rights) {
  if ((rights & 1 << 16) != 0) return "unusable";
  const uint64_t type = rights & 15;
  std::string kind;
  if ((rights & 1 << 4) == 0) {
    kind = type == 2    ? "LDT"
           : type == 11 ? "busy TSS"
           : type == 3  ? "busy 16-bit TSS"
                        : absl::StrFormat("system %d", type);
  } else if ((type & 8) != 0) {
    kind = (rights & 1 << 13) != 0 ? "64-bit code" : (rights & 1 << 14) != 0 ? "32-bit code" : "16-bit code";
  } else {
    kind = (type & 2) != 0 ? "data" : "read-only data";
  }
  return absl::StrFormat("%s, DPL %d, %s", kind, rights >> 5 & 3, (rights & 1 << 7) != 0 ? "present" : "not present");
}

std::string EferMeaning(uint64_t efer) {
  const struct {
    int bit;
    std::string_view name;
  } kBits[] = {{0, "SCE"}, {8, "LME"}, {10, "LMA"}, {11, "NX"}, {12, "SVME"}};
  std::string text;
  for (const auto& [bit, name] : kBits) {
    if ((efer >> bit & 1) == 0) continue;
    if (!text.empty()) text += " ";
    text += name;
  }
  return text;
}

std::string EventMeaning(uint64_t event) {
  if ((event & 1u << 31) == 0) return "";
  constexpr std::array<std::string_view, 8> kTypes = {
      "external interrupt", "reserved type", "NMI", "exception", "software interrupt", "privileged software exception",
      "software exception", "other event"};
  return absl::StrFormat("%s, vector %d", kTypes[event >> 8 & 7], event & 0xff);
}

}  // namespace vmm
