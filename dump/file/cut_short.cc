#include "dump/file/cut_short.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr std::string_view kPayload = "vmm/cut-short";

}  // namespace

std::string CutShort::Text() const {
  std::string text = "is cut short: " + what;
  if (!missing.has_value()) return text;
  const std::string percent = *missing < 0.1 ? "less than 0.1" : absl::StrFormat("%.1f", *missing);
  return text + absl::StrFormat(" (%s%s %% is missing)", at_least ? "at least " : "", percent);
}

CutShort EndsEarly(std::string_view part, uint64_t wanted, uint64_t size, bool at_least) {
  const double missing = 100.0 * static_cast<double>(wanted - size) / static_cast<double>(wanted);
  return {absl::StrFormat("its %s should reach byte %d, the file ends at %d", part, wanted, size), missing, at_least};
}

absl::Status CutShortError(const CutShort& cut_short) {
  absl::Status status = absl::DataLossError(cut_short.Text());
  status.SetPayload({kPayload.data(), kPayload.size()}, absl::Cord("1"));
  return status;
}

bool IsCutShort(const absl::Status& status) {
  return status.GetPayload({kPayload.data(), kPayload.size()}).has_value();
}

}  // namespace vmm
