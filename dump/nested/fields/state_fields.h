// The state of a virtual CPU as a list of named numbers. A VMCS and a VMCB are both shown in this form.
#ifndef DUMP_NESTED_FIELDS_STATE_FIELDS_H_
#define DUMP_NESTED_FIELDS_STATE_FIELDS_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vmm {

struct StateField {
  std::string_view area;  // "guest state"; the fields of one area are adjacent
  std::string_view name;  // outlives the list
  int size = 0;           // bytes
  uint64_t value = 0;
  std::string meaning;  // "EPT violation"; empty: the number has no further meaning
};

// The area whose fields say what a region is, not what is in it. A comparison of two regions leaves it out.
inline constexpr std::string_view kHeaderArea = "header";

// One line for each area and each field:
//
//   guest_rip                    0000000000005027
//   vm_exit_reason               00000030          EPT violation
std::string PrintStateFields(std::span<const StateField> fields);

// Two fields of the same name with different values. Points into the lists.
struct StateDifference {
  const StateField* a = nullptr;
  const StateField* b = nullptr;
};

// REQUIRES: `a` and `b` name the same fields in the same order.
std::vector<StateDifference> DiffStateFields(std::span<const StateField> a, std::span<const StateField> b);

// One line per difference: name, a's value, b's value, b's meaning. Empty if there is none.
std::string PrintStateDiff(std::span<const StateDifference> differences);

}  // namespace vmm

#endif  // DUMP_NESTED_FIELDS_STATE_FIELDS_H_
