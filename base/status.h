// Passes absl::Status up and adds one layer of context at each step.
//
//   ASSIGN_OR_RETURN(std::string image, ReadFile(path));
//   RETURN_IF_ERROR(Annotate(Parse(image), "load kernel " + path));
//
// The user reads "load kernel /boot/x: setup_sects 0x7f ...".
#ifndef BASE_STATUS_H_
#define BASE_STATUS_H_

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace vmm {

// `status` with "context: " in front of its message and the same code. An OK status stays OK.
absl::Status Annotate(const absl::Status& status, std::string_view context);

// The same for a StatusOr: returns the value, or the annotated error.
template <typename T>
absl::StatusOr<T> Annotate(absl::StatusOr<T> value, std::string_view context) {
  if (value.ok()) return value;
  return Annotate(value.status(), context);
}

// errno as a Status: "context: No space left on device", with the matching code.
absl::Status ErrnoStatus(int error, std::string_view context);

}  // namespace vmm

#define VMM_CONCAT_INNER(a, b) a##b
#define VMM_CONCAT(a, b) VMM_CONCAT_INNER(a, b)

// Returns the status of `expr` from the function unless it is OK.
#define RETURN_IF_ERROR(expr)                                                  \
  do {                                                                         \
    if (absl::Status vmm_status = (expr); !vmm_status.ok()) return vmm_status; \
  } while (false)

// Evaluates a StatusOr. On error returns it from the function, else moves its value into `lhs`.
#define ASSIGN_OR_RETURN(lhs, expr) ASSIGN_OR_RETURN_IN(VMM_CONCAT(vmm_value_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_IN(value, lhs, expr)        \
  auto value = (expr);                               \
  if (!value.ok()) return std::move(value).status(); \
  lhs = *std::move(value)

#endif  // BASE_STATUS_H_
