#include "vmm/harness/no_program.h"

#include "absl/strings/cord.h"

namespace vmm {
namespace {

constexpr char kMark[] = "vmm/no-program";

}  // namespace

absl::Status NoProgramError(NoProgram kind, std::string_view message) {
  absl::Status status(absl::StatusCode::kFailedPrecondition, std::string(message));
  status.SetPayload(kMark, absl::Cord(kind == NoProgram::kNotFound ? "127" : "126"));
  return status;
}

std::optional<NoProgram> KindOfNoProgram(const absl::Status& status) {
  const auto payload = status.GetPayload(kMark);
  if (!payload.has_value()) return std::nullopt;
  return *payload == "127" ? NoProgram::kNotFound : NoProgram::kCannotExecute;
}

}  // namespace vmm
