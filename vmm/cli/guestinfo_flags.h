// --guestinfo and --guestinfo-file, read and checked before anything is started.
#ifndef VMM_CLI_GUESTINFO_FLAGS_H_
#define VMM_CLI_GUESTINFO_FLAGS_H_

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace vmm {

// Keys and values of "KEY=VALUE" words, then of "KEY=FILE" words with each file's bytes. A key
// may be written with its "guestinfo." or without. InvalidArgument names the word and what is wrong
// with it: no '=', a key or value that a GuestInfoStore refuses, all of them together too large.
// A file that cannot be read gives errno's status.
absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ReadGuestInfo(std::span<const std::string> values,
                                                                               std::span<const std::string> files);

}  // namespace vmm

#endif  // VMM_CLI_GUESTINFO_FLAGS_H_
