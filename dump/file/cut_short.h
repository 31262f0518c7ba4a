// A dump that ends before its own headers say that it does: a copy that was broken off, a disk that was
// full.
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

  // In percent; of the file, unless `what` says of what else. None: nobody knows.
  std::optional<double> missing;
  bool at_least = false;  // `missing` counts up to the end of one part, and others follow it

  // "is cut short: its page data should reach byte 300, the file ends at 200 (33.3 % is missing)".
  // The file's name goes before it.
  std::string Text() const;
};

// `part` ("page data") should reach `wanted`, more than `size`, at which the file ends.
CutShort EndsEarly(std::string_view part, uint64_t wanted, uint64_t size, bool at_least = false);

// Nothing of the file can be read for that reason: DataLoss, with Text() for a message.
absl::Status CutShortError(const CutShort& cut_short);

// True iff `status` is such an error. Annotate() makes another one of it.
bool IsCutShort(const absl::Status& status);

}  // namespace vmm

#endif  // DUMP_FILE_CUT_SHORT_H_
