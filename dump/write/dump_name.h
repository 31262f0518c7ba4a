// The names that dumps get if the user gives none: vmcore, vmcore.1, vmcore.2, ...
#ifndef DUMP_WRITE_DUMP_NAME_H_
#define DUMP_WRITE_DUMP_NAME_H_

#include <string>
#include <string_view>

#include "absl/strings/str_format.h"

namespace vmm {

inline constexpr std::string_view kDumpName = "vmcore";
inline constexpr int kMaxDumpNames = 10000;

// `i` from 0 to kMaxDumpNames - 1.
inline std::string DumpName(int i) { return i == 0 ? std::string(kDumpName) : absl::StrFormat("%s.%d", kDumpName, i); }

// True if `name` is DumpName(i) for some i.
inline bool IsDumpName(std::string_view name) {
  if (!name.starts_with(kDumpName)) return false;
  name.remove_prefix(kDumpName.size());
  if (name.empty()) return true;
  return name.size() >= 2 && name.size() <= 5 && name[0] == '.' && name[1] != '0' &&
         name.find_first_not_of("0123456789", 1) == name.npos;
}

}  // namespace vmm

#endif  // DUMP_WRITE_DUMP_NAME_H_
