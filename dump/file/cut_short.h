// Describes a dump that ends before its own headers say it does: a copy that was interrupted, a disk that was full.
#ifndef DUMP_FILE_CUT_SHORT_H_
#define DUMP_FILE_CUT_SHORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace vmm {

struct CutShort {
  // "its page data should reach byte 300, the file ends at 200"
  std::string what;

  // In percent: of the file, unless `what` names something else. None: unknown.
  std::optional<double> missing;
  bool at_least = false;  // `missing` counts only up to the end of one part; others follow it

  // "is cut short: its page data should reach byte 300, the file ends at 200 (33.3 % is missing)".
  // The caller puts the file's name before it.
  std::string Text() const;
};

// `part` ("page data") should reach byte `wanted`, but the file ends earlier, at `size`.
CutShort EndsEarly(std::string_view part, uint64_t wanted, uint64_t size, bool at_least = false);

// DataLoss with Text() as the message: because the file is cut short, nothing can be read from it.
absl::Status CutShortError(const CutShort& cut_short);

// True iff `status` came from CutShortError(). Annotate() loses this.
bool IsCutShort(const absl::Status& status);

}  // namespace vmm

#endif  // DUMP_FILE_CUT_SHORT_H_
