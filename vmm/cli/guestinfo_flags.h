// Reads and checks --guestinfo and --guestinfo-file before anything starts.
#ifndef VMM_CLI_GUESTINFO_FLAGS_H_
#define VMM_CLI_GUESTINFO_FLAGS_H_

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace vmm {

// Returns the keys and values of "KEY=VALUE" words, then of "KEY=FILE" words with the bytes of each file. A key may be
// written with or without its "guestinfo.". InvalidArgument names the word and what is wrong with it: no '=', a key or
// value that a GuestInfoStore refuses, or all of them together too large. A file that cannot be read gives errno's
// status.
absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ReadGuestInfo(std::span<const std::string> values,
                                                                               std::span<const std::string> files);

}  // namespace vmm

#endif  // VMM_CLI_GUESTINFO_FLAGS_H_
