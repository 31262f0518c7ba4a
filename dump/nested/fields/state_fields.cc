#include "dump/nested/fields/state_fields.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

void AddLine(std::string_view name, int digits, uint64_t value, std::string_view meaning, std::string* out) {
  const std::string number = absl::StrFormat("%0*x", digits, value);
  std::string line = absl::StrFormat("  %-30s %-16s  %s", name, number, meaning);
  line.erase(line.find_last_not_of(' ') + 1);
  *out += line + "\n";
}

}  // namespace

std::string PrintStateFields(std::span<const StateField> fields) {
  std::string text;
  std::string_view area;
  for (const StateField& field : fields) {
    if (field.area != area) text += std::string(field.area) + "\n";
    area = field.area;
    AddLine(field.name, 2 * field.size, field.value, field.meaning, &text);
  }
  return text;
}

std::vector<StateDifference> DiffStateFields(std::span<const StateField> a, std::span<const StateField> b) {
  std::vector<StateDifference> differences;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i].area != kHeaderArea && a[i].value != b[i].value) differences.push_back({&a[i], &b[i]});
  }
  return differences;
}

std::string PrintStateDiff(std::span<const StateDifference> differences) {
  std::string text;
  for (const auto& [a, b] : differences) {
    const int digits = 2 * a->size;
    AddLine(a->name, digits, a->value, absl::StrFormat("-> %0*x  %s", digits, b->value, b->meaning), &text);
  }
  return text;
}

}  // namespace vmm
