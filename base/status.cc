#include "base/status.h"

#include "absl/strings/str_format.h"

namespace vmm {

absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrFormat("%s: %s", context, std::string(status.message())));
}

absl::Status ErrnoStatus(int error, std::string_view context) {
  return absl::ErrnoToStatus(error, absl::string_view(context.data(), context.size()));
}

}  // namespace vmm
